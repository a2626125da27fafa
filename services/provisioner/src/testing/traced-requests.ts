import type { Runner, Spec } from '@baton/shared/contracts';
import { inTrace, mintSpan } from '@baton/shared/telemetry';
import type { Bench, Provisioner } from './bench.ts';
import { PlayingProvider } from './playing-provider.ts';

/** Plays a poll of a listener: its demand is written, and the provisioner is asked to look. Its context. */
export async function poll(
  bench: Bench,
  spec: Spec,
  { planner, assigned }: { planner: Provisioner['planner']; assigned: number },
): Promise<string | undefined> {
  const traceparent = mintSpan();
  await bench.demand(spec, { assigned, seq: assigned, traceparent });
  await inTrace(traceparent, () => planner.reconcile(spec.scaleSetId));
  return traceparent;
}

interface TracedRequest {
  spec: Spec;
  provider: PlayingProvider;
  provisioner: Provisioner;
  /** The runner's record. */
  record: Runner;
  /** Of the poll that asked for it. */
  from: string | undefined;
}

/** A registered scale set with one job that a poll brought, and the runner that is asked for because of it. */
export async function tracedRequest(
  bench: Bench,
  name: string,
  { alive = true }: { alive?: boolean } = {},
): Promise<TracedRequest> {
  const provider = new PlayingProvider();
  const spec = await bench.register(name);
  const provisioner = await bench.provisioner(provider, { alive });
  const from = await poll(bench, spec, { ...provisioner, assigned: 1 });
  const [record] = await bench.runnersOf(spec);
  if (!record) throw new Error('no runner was requested');
  return { spec, provider, provisioner, record, from };
}
