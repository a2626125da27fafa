import { runnerKey } from '@baton/shared/contracts';
import { callbackRoutes, metadataRoutes, unservedRoutes } from './bootstrap-routes.ts';
import type { BootstrapTokens, RunnerRef } from './bootstrap-tokens.ts';
import { bootstrapObstacle } from './core/may-bootstrap.ts';
import type { InstanceReport } from './core/read-report.ts';
import { type BootstrapCall, type BootstrapReply, refusal } from './exchange.ts';
import type { JitVault } from './jit-vault.ts';
import { noteReport, type ReportDeps } from './note-report.ts';

export interface AnswerDeps extends ReportDeps {
  url: string;
  tokens: BootstrapTokens;
  vault: JitVault;
}

type Admitted = { runner: RunnerRef; token: string };

/**
 * Answers an instance that boots. Every call shows a token; what it is for stands in the runner's record,
 * read anew each time, so any provisioner may answer, and a runner that is registered gets nothing more.
 */
export async function answerInstance(
  deps: AnswerDeps,
  call: BootstrapCall,
): Promise<BootstrapReply> {
  const [, area, rest] = /\/(metadata|callbacks)\/(.+)$/.exec(call.path) ?? [];
  if (rest === undefined) return notServed('no such path');
  const unserved = [...unservedRoutes].find(([path]) => rest.startsWith(path));
  if (unserved) return notServed(unserved[1]);
  const admitted = await admit(deps, call.token);
  if ('status' in admitted) return admitted;
  if (area === 'callbacks') return await answerCallback(deps, call, { rest, admitted });
  return await answerMetadata(deps, call, { rest, admitted });
}

async function admit(
  { tokens, runners }: AnswerDeps,
  token: string | undefined,
): Promise<Admitted | BootstrapReply> {
  const runner = token === undefined ? undefined : await tokens.verify(token);
  if (token === undefined || !runner)
    return refusal(401, 'Unauthorized', 'the token is missing, wrong, or its time is over');
  const record = await runners.get(runnerKey(runner.scaleSetId, runner.runnerId));
  const obstacle = bootstrapObstacle(record?.value);
  return obstacle === undefined
    ? { runner, token }
    : refusal(401, 'Unauthorized', `the token is no longer good: ${obstacle}`);
}

interface Routed {
  rest: string;
  admitted: Admitted;
}

async function answerMetadata(
  { vault, url }: AnswerDeps,
  { method, query }: BootstrapCall,
  { rest, admitted: { runner, token } }: Routed,
): Promise<BootstrapReply> {
  const route = metadataRoutes.get(rest);
  if (!route) return notServed('no such path');
  if (method !== 'GET') return refusal(405, 'Method Not Allowed', 'metadata are read with GET');
  const contents = await vault.get(runner);
  if (!contents) return notServed('nothing is kept for this runner any more: its time is over');
  return route({ contents, url, token, query });
}

async function answerCallback(
  deps: AnswerDeps,
  { method, body }: BootstrapCall,
  { rest, admitted: { runner } }: Routed,
): Promise<BootstrapReply> {
  const read = callbackRoutes.get(rest);
  if (!read) return notServed('no such path');
  if (method !== 'POST') return refusal(405, 'Method Not Allowed', 'callbacks are sent with POST');
  const report = readBody(body, read);
  if (!report) return refusal(400, 'Bad Request', `the body is not what ${rest} takes`);
  await noteReport(deps, runner, report);
  if (report.kind === 'failed') await deps.vault.remove(runner);
  return { status: 200, body: {} };
}

function readBody(body: Buffer, read: (body: unknown) => InstanceReport | undefined) {
  try {
    return read(JSON.parse(body.toString('utf8')));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function notServed(details: string): BootstrapReply {
  return refusal(404, 'Not Found', details);
}
