import type { DemandCounter } from './core/demand-counter.ts';
import { isEnterpriseServer } from './core/enterprise-server.ts';
import { defaultWaitingPolicy } from './core/waiting-jobs.ts';
import { JobReports, type ReportOptions } from './job-reports.ts';
import type { QueueCalls } from './message-pipeline-calls.ts';
import { Offers } from './offers.ts';
import type { OpenSession, ServeDeps } from './serve-session.ts';
import { StoreWatch } from './store-watch.ts';

interface Parts {
  demand: DemandCounter;
  /** Aborted when the session is not polled any more. */
  signal: AbortSignal;
}

export function makeStoreWatch({ clock, status, storeLateMs: lateMs }: ServeDeps): StoreWatch {
  const tell = (text: string | undefined) => status.setCondition('events-not-stored', text);
  return new StoreWatch(clock, { lateMs, tell });
}

export function makeOffers(
  deps: ServeDeps,
  open: OpenSession,
  { demand, signal, calls }: Parts & { calls: QueueCalls },
): Offers {
  const { githubScaleSetId } = open;
  const supported = isEnterpriseServer(deps.spec().declaration.configUrl);
  return new Offers({ ...deps, ...open, calls, demand }, { githubScaleSetId, supported, signal });
}

/** `onDemand` is called when the demand has changed without a message. */
export function makeReports(
  deps: ServeDeps,
  open: OpenSession,
  {
    demand,
    signal,
    offers,
    onDemand,
  }: Parts & Pick<ReportOptions, 'onDemand'> & { offers: Offers },
): JobReports {
  const { waitingPolicy: policy = defaultWaitingPolicy } = deps;
  const { githubScaleSetId, session, how } = open;
  const replaced = how !== 'resumed';
  const options = { githubScaleSetId, session, replaced, policy, demand, onDemand, signal };
  return new JobReports({ ...deps, ...open, offers }, options);
}
