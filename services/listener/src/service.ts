import { runMain } from '@baton/shared/lifecycle';
import { loadListenerConfig } from './config.ts';
import { run } from './run.ts';

void runMain({ service: 'listener', loadConfig: loadListenerConfig, run });
