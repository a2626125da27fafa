import type { PollAnswer, Session } from '../core/model.ts';
import { Refusal, refusals } from '../core/refusal.ts';
import type { Simulator } from '../core/simulator.ts';
import { bearer, json, param, type Reply, type Route, type SimRequest } from './exchange.ts';

const path = '/broker/v1/message';

/** The message queue. Its URL carries the session id, so a client that drops the query fails. */
export function queueRoutes(sim: Simulator): Route[] {
  const scaleSet = ({ query }: SimRequest) =>
    sim.sessions.scaleSetOf(query.get('sessionId') ?? '')?.name;
  return [
    {
      name: 'getMessage',
      method: 'GET',
      pattern: path,
      scaleSet,
      handle: (request) => getMessage(sim, request),
    },
    {
      name: 'deleteMessage',
      method: 'DELETE',
      pattern: `${path}/:messageId`,
      scaleSet,
      handle: (request) => {
        const id = param(request, 'messageId');
        const { set } = requireSession(sim, request);
        if (!set.log.delete(Number(id))) throw refusals.messageNotFound(id);
        sim.journal.write(set.name, 'deleted', { messageId: Number(id) });
        return { status: 204 };
      },
    },
  ];
}

async function getMessage(sim: Simulator, request: SimRequest): Promise<Reply> {
  const session = requireSession(sim, request);
  const accept = request.headers.accept ?? '';
  if (!accept.includes('api-version=')) throw refusals.noApiVersion();
  const poll = sim.poll(session, {
    cursor: wholeNumber(request.query.get('lastMessageId'), 0),
    capacity: wholeNumber(header(request, 'x-scalesetmaxcapacity'), Number.POSITIVE_INFINITY),
    by: sim.tokens.holderOf(bearer(request.headers)),
  });
  request.onGone(() => poll.hold.end({ kind: 'none' }));
  return pollReply(await poll.hold.answer);
}

function pollReply(answer: PollAnswer): Reply {
  switch (answer.kind) {
    case 'message':
      return json({
        messageId: answer.id,
        messageType: 'RunnerScaleSetJobMessages',
        body: answer.body,
        statistics: answer.statistics,
      });
    case 'none':
      return { status: 202 };
    case 'gone':
      throw refusals.invalidToken();
    case 'unavailable':
      throw new Refusal(answer.status, '');
  }
}

/** The session that both the URL and the queue token name. */
function requireSession(sim: Simulator, { headers, query }: SimRequest): Session {
  const id = sim.tokens.check('queue', bearer(headers));
  if (id === undefined) throw refusals.invalidToken();
  if (query.get('sessionId') !== id) throw refusals.badRequest("The sessionId is not the token's.");
  const session = sim.sessions.find(id);
  if (!session) throw refusals.invalidToken();
  return session;
}

function header({ headers }: SimRequest, name: string): string | null {
  const value = headers[name];
  return typeof value === 'string' ? value : null;
}

function wholeNumber(text: string | null, absent: number): number {
  if (text === null) return absent;
  if (!/^\d+$/.test(text)) throw refusals.badRequest(`${text} is not a whole number.`);
  return Number(text);
}
