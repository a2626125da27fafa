export type {
  AddJobs,
  Books,
  DropRegistrations,
  JobRecord,
  JournalEntry,
  Play,
  SimState,
} from './control/schemas.ts';
export { SimControl } from './control/sim-control.ts';
export type { FaultRuleInput } from './core/fault-rule.ts';
