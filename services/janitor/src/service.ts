import { runMain } from '@baton/shared/lifecycle';
import { loadJanitorConfig } from './config.ts';
import { run } from './run.ts';

void runMain({ service: 'janitor', loadConfig: loadJanitorConfig, run });
