import { Agent, request } from 'undici';
import { inParallel } from '../in-parallel.ts';

/**
 * What idle scale sets cost at the least: makes scale sets and their sessions by the protocol, and holds a poll
 * of each; a message is deleted at once. It loads nothing but undici, and ends when anything fails.
 */
interface Asked {
  /** Of the simulator. */
  origin: string;
  token: string;
  names: readonly string[];
}

interface Sent {
  authorization: string;
  body?: unknown;
}

const dispatcher = new Agent({ connections: null, headersTimeout: 0, bodyTimeout: 0 });
/** How many sets are made side by side. */
const width = 32;

async function pollAll({ origin, token, names }: Asked): Promise<void> {
  const actions = `${origin}/api/v3`;
  const registration = await call(
    'POST',
    `${actions}/orgs/acme/actions/runners/registration-token`,
    {
      authorization: `Bearer ${token}`,
    },
  );
  const service = await call('POST', `${actions}/actions/runner-registration`, {
    authorization: `RemoteAuth ${registration.token ?? ''}`,
    body: { url: `${origin}/acme`, runner_event: 'register' },
  });
  const authorization = `Bearer ${service.token ?? ''}`;
  const scaleSets = `${service.url ?? ''}_apis/runtime/runnerscalesets`;
  const post = (path: string, body: unknown) =>
    call('POST', `${scaleSets}${path}?api-version=6.0-preview`, { authorization, body });
  await inParallel(names, width, async (name) => {
    const labels = [{ type: 'System', name }];
    const { id = '' } = await post('', { name, runnerGroupId: 1, labels });
    const session = await post(`/${id}/sessions`, { ownerName: 'bare' });
    void poll(session.messageQueueUrl ?? '', `Bearer ${session.messageQueueAccessToken ?? ''}`);
  });
  process.send?.({ opened: names.length });
}

async function poll(queueUrl: string, authorization: string): Promise<never> {
  for (let next = queueUrl; ; ) {
    const { messageId } = await call('GET', next, { authorization });
    if (messageId === undefined) continue;
    const url = new URL(queueUrl);
    url.pathname += `/${messageId}`;
    await call('DELETE', url.href, { authorization });
    next = `${queueUrl}&lastMessageId=${messageId}`;
  }
}

/** The fields of the answer, as text; none where there was none. */
async function call(
  method: 'GET' | 'POST' | 'DELETE',
  url: string,
  { authorization, body }: Sent,
): Promise<Record<string, string>> {
  const answer = await request(url, {
    dispatcher,
    method,
    headers: {
      authorization,
      'user-agent': 'bare',
      accept: 'application/json; api-version=6.0-preview',
      'content-type': 'application/json',
      'x-scalesetmaxcapacity': '10',
    },
    body: body === undefined ? null : JSON.stringify(body),
  });
  const text = await answer.body.text();
  if (answer.statusCode >= 300) throw new Error(`${method} ${url}: ${answer.statusCode} ${text}`);
  const fields: unknown = text === '' ? {} : JSON.parse(text);
  return Object.fromEntries(
    Object.entries(fields ?? {}).map(([name, value]) => [name, String(value)]),
  );
}

process.once('message', (asked: Asked) => void pollAll(asked));
process.on('disconnect', () => process.exit());
process.send?.({ ready: true });
