import { z } from 'zod';
import { SimControl } from '../control/sim-control.ts';

const tokenSchema = z.object({ token: z.string() });
const registrationSchema = z.object({ url: z.string(), token: z.string() });
const jitSchema = z.object({ runner: z.object({ id: z.int() }), encodedJITConfig: z.string() });
const messageSchema = z.object({
  messageId: z.int(),
  body: z.string(),
  statistics: z.record(z.string(), z.int()),
});

export const sessionSchema = z.object({
  sessionId: z.string(),
  messageQueueUrl: z.string(),
  messageQueueAccessToken: z.string(),
  statistics: z.record(z.string(), z.int()),
});

type Session = z.output<typeof sessionSchema>;
type Message = z.output<typeof messageSchema>;

interface CallOptions {
  method?: string;
  body?: unknown;
  headers?: Record<string, string>;
}

/** A client that does each step by hand, as the protocol says. */
export class SimClient {
  readonly url: string;
  readonly control: SimControl;
  tenant = '';
  admin = '';

  constructor(url: string) {
    this.url = url;
    this.control = new SimControl(url);
  }

  async authenticate(credential = 'pat'): Promise<void> {
    const token = await fetch(`${this.url}/api/v3/orgs/acme/actions/runners/registration-token`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${credential}` },
    });
    const registered = await fetch(`${this.url}/api/v3/actions/runner-registration`, {
      method: 'POST',
      headers: { Authorization: `RemoteAuth ${tokenSchema.parse(await token.json()).token}` },
      body: JSON.stringify({ url: `${this.url}/acme`, runner_event: 'register' }),
    });
    const { url, token: admin } = registrationSchema.parse(await registered.json());
    this.tenant = url;
    this.admin = admin;
  }

  api(path: string, { method = 'GET', body, headers = {} }: CallOptions = {}): Promise<Response> {
    const joint = path.includes('?') ? '&' : '?';
    return fetch(`${this.tenant}_apis/${path}${joint}api-version=6.0-preview`, {
      method,
      headers: {
        Authorization: `Bearer ${this.admin}`,
        'Content-Type': 'application/json',
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  async scaleSet(name = 'linux'): Promise<number> {
    const body = { name, runnerGroupId: 1, labels: [{ type: 'System', name }] };
    const answer = await this.api('runtime/runnerscalesets', { method: 'POST', body });
    return z.object({ id: z.int() }).parse(await answer.json()).id;
  }

  openSession(id: number, ownerName = 'me'): Promise<Response> {
    const path = `runtime/runnerscalesets/${id}/sessions`;
    return this.api(path, { method: 'POST', body: { ownerName } });
  }

  async session(id: number, ownerName = 'me'): Promise<Session> {
    return sessionSchema.parse(await (await this.openSession(id, ownerName)).json());
  }

  poll(session: Session, { cursor = 0, capacity = 10 } = {}): Promise<Response> {
    const url = new URL(session.messageQueueUrl);
    if (cursor > 0) url.searchParams.set('lastMessageId', String(cursor));
    return fetch(url, {
      headers: {
        ...this.#queueHeaders(session),
        Accept: 'application/json; api-version=6.0-preview',
        'X-ScaleSetMaxCapacity': String(capacity),
      },
    });
  }

  async message(session: Session, options = {}): Promise<Message> {
    return messageSchema.parse(await (await this.poll(session, options)).json());
  }

  ack(session: Session, messageId: number): Promise<Response> {
    const url = new URL(session.messageQueueUrl);
    url.pathname += `/${messageId}`;
    return fetch(url, { method: 'DELETE', headers: this.#queueHeaders(session) });
  }

  async jit(id: number, name: string): Promise<{ agentId: number; config: string }> {
    const path = `runtime/runnerscalesets/${id}/generatejitconfig`;
    const answer = await this.api(path, { method: 'POST', body: { name, workFolder: '_work' } });
    const body = jitSchema.parse(await answer.json());
    return { agentId: body.runner.id, config: body.encodedJITConfig };
  }

  #queueHeaders(session: Session): Record<string, string> {
    return { Authorization: `Bearer ${session.messageQueueAccessToken}` };
  }
}
