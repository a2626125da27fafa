import { resolve } from 'node:path';
import { loadConfig, telemetryVariables as otelVariables } from '@baton/shared/config';
import { errorText } from '@baton/shared/errors';
import { tracesSettings } from '@baton/shared/telemetry';
import {
  findLives,
  readTraceFile,
  renderLives,
  renderSteps,
  SpanIndex,
  slowest,
} from '@baton/traces';
import picocolors from 'picocolors';
import { z } from 'zod';
import type { Io, Output } from './io.ts';
import type { StartOptions } from './options.ts';
import { TraceForward } from './trace-forward.ts';
import { TraceReceiver } from './trace-receiver.ts';
import { collectorOf, telemetryVariables, traceVariables } from './trace-variables.ts';

/** What becomes of the traces of a run. */
interface Traces extends AsyncDisposable {
  /** For the services. */
  variables: Record<string, string>;
  /** To be told each line that a service logs. */
  onLog: (line: string) => void;
  /** Shows on `out` what there is, once the services have ended. Never fails. */
  show: (out: Output) => Promise<void>;
}

type Surroundings = Pick<Io, 'env' | 'hurry' | 'clock'> & { say: (text: string) => void };

/**
 * They go where the environment says, and with `--trace` to a file too: all of them.
 * @throws ConfigError when the file cannot be written, or with `--trace` for variables that cannot be used.
 */
export async function openTraces(
  { trace }: Pick<StartOptions, 'trace'>,
  surroundings: Surroundings,
): Promise<Traces> {
  const { env, hurry, say } = surroundings;
  const variables = telemetryVariables(env);
  const collector = collectorOf(env);
  if (trace === undefined) {
    if (collector !== undefined) say(`traces go to ${collector}, as the environment says`);
    const nothing = () => Promise.resolve();
    return { variables, onLog: lossTeller(say), show: nothing, [Symbol.asyncDispose]: nothing };
  }
  const file = resolve(trace);
  const forward = openForward(surroundings);
  const passOn = (request: object) => forward?.pass(request);
  const receiver = await TraceReceiver.start(file, { say, passOn });
  say(`traces go to ${file}${collector === undefined ? '' : alsoTo(collector, forward)}`);
  const end = async () => {
    await receiver[Symbol.asyncDispose]();
    await forward?.[Symbol.asyncDispose]();
  };
  return {
    variables: { ...variables, ...traceVariables(receiver.url) },
    onLog: () => undefined,
    show: async (out) => {
      await end();
      if (!hurry.aborted) await showFile(file, { out, env, say });
    },
    [Symbol.asyncDispose]: end,
  };
}

/** Undefined where the environment names no collector, or one that is not asked over HTTP. */
function openForward({ env, ...rest }: Surroundings): TraceForward | undefined {
  if (collectorOf(env) === undefined) return undefined;
  const target = tracesSettings(loadConfig(otelVariables, env))?.target;
  return target && target.protocol !== 'grpc' ? new TraceForward({ target, ...rest }) : undefined;
}

function alsoTo(collector: string, forward: TraceForward | undefined): string {
  return forward
    ? ` and to ${collector}`
    : `, and not to ${collector}: only OTLP/HTTP is passed on`;
}

/** A short run ends before the first export has been given up. */
const losses = ['spans are not taken, and lost meanwhile', 'the last spans may be lost'] as const;
const lossSchema = z.looseObject({ msg: z.enum(losses), reason: z.string() });

/** Says once that traces do not arrive: the logs of the services are not on view. */
function lossTeller(say: (text: string) => void): (line: string) => void {
  let hasTold = false;
  return (line) => {
    if (hasTold || !losses.some((loss) => line.includes(loss))) return;
    const loss = lossSchema.safeParse(parseJson(line)).data;
    if (!loss) return;
    hasTold = true;
    say(`traces are lost, and nothing waits for them: ${loss.reason}`);
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const plainWidth = 120;

async function showFile(
  file: string,
  { out, env, say }: { out: Output; env: Io['env']; say: (text: string) => void },
): Promise<void> {
  try {
    const index = new SpanIndex(await readTraceFile(file));
    const lives = findLives(index);
    if (lives.length === 0) return say(`no runner is in ${file}`);
    const isTerminal = out.isTTY === true && env.TERM !== 'dumb';
    const colors = picocolors.createColors(isTerminal && !env.NO_COLOR);
    const width = out.columns ?? plainWidth;
    const slowestFirst = slowest(lives, 1);
    out.write(`\n${renderLives(index, slowestFirst, { colors, width })}`);
    out.write(`\n${renderSteps(lives, colors)}\n`);
    say(`all ${lives.length} are shown by: node scripts/launch.mjs baton trace ${file} --list`);
  } catch (error) {
    say(errorText(error));
  }
}
