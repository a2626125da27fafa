import { runMain } from '@baton/shared/lifecycle';
import { loadProvisionerConfig } from './config.ts';
import { run } from './run.ts';

void runMain({ service: 'provisioner', loadConfig: loadProvisionerConfig, run });
