import type { Play, SimControl } from '@baton/github-sim';
import type { GitHubFault } from './random-fault.ts';
import { outageParts, serviceRoutes } from './random-outage.ts';

/** What faults are done with, and who was hit. */
export interface FaultDeps {
  sim: SimControl;
  /** SIGKILL to the processes of a runner, by its name; does nothing when they have ended. */
  killRunner: (name: string) => Promise<void>;
  /** Jobs whose runner is made to die are added. */
  crashing: Set<string>;
  /** Names of runners whose registration GitHub dropped are added. */
  dropped: Set<string>;
}

type End = () => Promise<void>;
type FaultOf<What extends GitHubFault['what']> = Extract<GitHubFault, { what: What }>;

/** Does it to the simulator, or to a runner; `end` takes back what does not end by itself. */
export async function applyFault(deps: FaultDeps, fault: GitHubFault): Promise<End | undefined> {
  const { sim } = deps;
  switch (fault.what) {
    case 'spoil': {
      const { route, scaleSet, probability, action, forMs: windowMs } = fault;
      const whose = scaleSet === undefined ? {} : { scaleSet };
      await sim.addFault({ route, ...whose, probability, action, windowMs });
      return undefined;
    }
    case 'outage':
      await sim.outage(fault.forMs, fault.status);
      return undefined;
    case 'long outage':
      await beginOutage(sim, fault);
      return undefined;
    case 'part outage': {
      const { routes, action } = outageParts[fault.part];
      for (const route of routes) await sim.addFault({ route, action, windowMs: fault.forMs });
      return undefined;
    }
    case 'expire tokens':
      await sim.expireTokens(fault.tokens);
      return undefined;
    case 'bare runners':
      await sim.setRegistry({ bareRunners: true });
      return () => sim.setRegistry({ bareRunners: false });
    default:
      return await applyToSet(deps, fault);
  }
}

type OfSet = Exclude<Extract<GitHubFault, { scaleSet: string }>, FaultOf<'spoil'>>;

async function applyToSet(deps: FaultDeps, fault: OfSet): Promise<End | undefined> {
  const { sim } = deps;
  const { scaleSet } = fault;
  const play = async (wanted: Play, after: Play): Promise<End> => {
    await sim.play(scaleSet, wanted);
    return () => sim.play(scaleSet, after);
  };
  switch (fault.what) {
    case 'evict session':
      await ifThere(sim.evictSession(scaleSet));
      return undefined;
    case 'release session':
      await ifThere(sim.releaseSession(scaleSet));
      return undefined;
    case 'delete scale set':
      await ifThere(sim.deleteScaleSet(scaleSet));
      return undefined;
    case 'restart ids':
      await sim.play(scaleSet, { restartMessageIds: true });
      return undefined;
    case 'odd message':
      await sim.play(scaleSet, { entries: [...oddEntries] });
      return undefined;
    case 'drop registrations':
      for (const name of await sim.dropRegistrations({ scaleSet, told: fault.told })) {
        deps.dropped.add(name);
      }
      return undefined;
    case 'kill runner':
      await killBusyRunner(deps, scaleSet);
      return undefined;
    case 'announce completion': {
      const job = await runningJob(sim, scaleSet);
      if (job) await ifThere(sim.announceCompletion(job.id));
      return undefined;
    }
    case 'mute':
      return await play({ muted: true }, { muted: false });
    case 'runners exit':
      return await play({ runner: { mode: 'exit', exitCode: 1 } }, normal);
    case 'runners connect late':
      return await play({ runner: { mode: 'normal', connectDelayMs: 2_000 } }, normal);
    case 'runners never connect':
      return await play({ runner: { mode: 'never-connect' } }, normal);
    case 'false statistics':
      return await play(falseStatistics(fault), truth);
  }
}

const normalRunners = { runner: { mode: 'normal', connectDelayMs: 0 } } as const;
const normal: Play = normalRunners;
/** Nobody sends statistics when nothing happens: the last message is to say what is so. */
const truth: Play = {
  statistics: {},
  drift: {},
  entries: [{ messageType: 'StatisticsCorrected' }],
};

function falseStatistics({ more }: FaultOf<'false statistics'>): Play {
  return more === 'none'
    ? { statistics: { totalAssignedJobs: 0 } }
    : { drift: { totalAssignedJobs: more } };
}

/** Of a type that nobody knows, and of one that is known, with a shape that is not. */
const oddEntries = [
  { messageType: 'JobTeleported', jobId: 'nobody' },
  { messageType: 'JobStarted', runnerId: 'no number' },
];

async function killBusyRunner({ sim, killRunner, crashing }: FaultDeps, scaleSet: string) {
  const job = await runningJob(sim, scaleSet);
  if (job?.runnerName == null) return;
  crashing.add(job.id);
  await killRunner(job.runnerName);
}

async function runningJob(sim: SimControl, scaleSet: string) {
  const jobs = await sim.jobs();
  return jobs.find((job) => job.status === 'running' && job.scaleSet === scaleSet);
}

/**
 * Runners get an answer all the same, a 503, because one that gets none ends by itself after two minutes;
 * GitHub does not miss them meanwhile.
 */
async function beginOutage(sim: SimControl, { how, forMs }: FaultOf<'long outage'>): Promise<void> {
  if (how !== 'status') {
    const action =
      how === 'hang'
        ? ({ kind: 'hang' } as const)
        : ({ kind: 'drop', when: 'before-headers' } as const);
    for (const route of serviceRoutes) await sim.addFault({ route, action, windowMs: forMs });
  }
  await sim.outage(forMs, 503);
}

/** What it is about may be over by now; then there is nothing to do. */
async function ifThere(act: Promise<void>): Promise<void> {
  await act.catch((error: unknown) => {
    if (!/has no session|is not running|No runner scale set/.test(String(error))) throw error;
  });
}
