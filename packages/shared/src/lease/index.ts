export { identityTaken, takeIdentity } from './identity.ts';
export {
  type Holder,
  type Lease,
  type LossReason,
  leaseSchema,
  type RenewalOutcome,
} from './lease.ts';
export { LeaseStore } from './lease-store.ts';
export { answerProbes, LivenessProber, type Verdict } from './liveness.ts';
