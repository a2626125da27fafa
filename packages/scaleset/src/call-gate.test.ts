import { captureLog, FakeClock } from '@baton/testkit';
import { expect, test } from 'vitest';
import { CallGate } from './call-gate.ts';
import type { CallPriority } from './decide-admission.ts';
import { GitHubApiError } from './errors.ts';
import { rejection } from './testing/setup.ts';
import type { HttpAnswer } from './transport.ts';

const minuteMs = 60_000;

/** A gate, and calls through it that end when the test says so. */
function aGate(api: 'rest' | 'service' = 'service') {
  const clock = new FakeClock();
  const { log, messages } = captureLog();
  const closing = new AbortController();
  const options = { clock, random: () => 0, log, host: 'github.test', api };
  const gate = new CallGate({ ...options, closed: closing.signal });
  const sent: string[] = [];
  const call = (
    what: string,
    priority: CallPriority = 'jit',
    { answer = anAnswer, timeoutMs = 10 * minuteMs, signal = closing.signal } = {},
  ) => {
    const endsAtMs = clock.monotonic() + timeoutMs;
    return gate.run({ what, priority, endsAtMs, signal }, async () => {
      sent.push(what);
      return await answer();
    });
  };
  /** Meets a limit, as the answer to a call. */
  const limit = async (retryAfterMs?: number) => {
    const answer = () => Promise.reject<HttpAnswer>(aLimit(retryAfterMs));
    await rejection(call('limited', 'session', { answer }));
    sent.length = 0;
  };
  return { clock, gate, call, limit, sent, messages, closing };
}

function aLimit(retryAfterMs?: number) {
  const info = { kind: 'rate-limited', host: 'github.test', retryAfterMs } as const;
  return new GitHubApiError('limited', info);
}

async function anAnswer(headers: Record<string, string> = {}): Promise<HttpAnswer> {
  return await Promise.resolve({ status: 200, text: '', header: (name) => headers[name] });
}

/** An answer that comes when the test says so. */
function aSlowAnswer() {
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
  return { answer: () => promise, end: async () => resolve(await anAnswer()), fail: reject };
}

test('after a limit calls wait for its end, and go by priority', async () => {
  const { clock, call, limit, sent } = aGate();
  await limit(30_000);

  const calls = [call('clean', 'cleanup'), call('jit'), call('other', 'other')];
  calls.push(call('session', 'session'));
  await clock.advance(29_999);
  expect(sent).toEqual([]);
  await clock.advance(1);

  await Promise.all(calls);
  expect(sent).toEqual(['session', 'jit', 'other', 'clean']);
});

test('a call whose deadline comes before the end of the limit fails at once, unsent', async () => {
  const { call, limit, sent } = aGate();
  await limit(31_000);

  const error = await rejection(call('jit', 'jit', { timeoutMs: 30_000 }));

  expect(error).toMatchObject({ kind: 'rate-limited', retryAfterMs: 31_000, retryable: true });
  expect(String(error)).toContain('not sent, because github.test limits calls for another 31 s');
  expect(sent).toEqual([]);
});

test('those that wait for their turn fail too when a longer limit strikes', async () => {
  const { call, limit } = aGate();
  const slow = aSlowAnswer();
  const late = rejection(call('late', 'session', { answer: slow.answer }));
  await limit(10_000);
  const waiting = rejection(call('jit', 'jit', { timeoutMs: 30_000 }));

  slow.fail(aLimit(60_000));

  await late;
  expect(await waiting).toMatchObject({ kind: 'rate-limited', retryAfterMs: 60_000 });
});

test('a caller that stops waiting is not sent', async () => {
  const { clock, call, limit, sent, gate } = aGate();
  await limit(10_000);
  const stop = new AbortController();
  const failed = rejection(call('jit', 'jit', { signal: stop.signal }));
  stop.abort(new Error('lease lost'));

  expect(await failed).toBe(stop.signal.reason);
  expect(gate.report().waiting).toBe(0);
  await clock.advance(20_000);
  expect(sent).toEqual([]);
});

test('when a limit ends a thousand calls do not start at once', async () => {
  const { clock, call, limit, sent } = aGate();
  await limit(10_000);
  const slow = aSlowAnswer();

  const calls = Array.from({ length: 1_000 }, (_, index) =>
    call(`jit-${index}`, 'jit', { answer: slow.answer }),
  );
  await clock.advance(10_000);

  expect(sent).toHaveLength(3);
  await slow.end();
  await Promise.all(calls);
  expect(sent).toHaveLength(1_000);
});

test('without a limit no more than 48 others and 16 session calls are under way', async () => {
  const { call, sent, clock } = aGate();
  const slow = aSlowAnswer();
  const options = { answer: slow.answer };

  const others = Array.from({ length: 100 }, () => call('jit', 'jit', options));
  const sessions = Array.from({ length: 100 }, () => call('session', 'session', options));
  await clock.advance(0);

  expect(sent.filter((what) => what === 'jit')).toHaveLength(48);
  expect(sent.filter((what) => what === 'session')).toHaveLength(16);
  await slow.end();
  await Promise.all([...others, ...sessions]);
});

test('calls that hang leave their places to others, and take them back never', async () => {
  const { call, sent, clock, gate } = aGate();
  const [hanging, slow] = [aSlowAnswer(), aSlowAnswer()];
  const hung = Array.from({ length: 16 }, () =>
    call('hung', 'session', { answer: hanging.answer }),
  );
  const others = Array.from({ length: 20 }, () => call('session', 'session', slow));
  const healthy = () => sent.filter((what) => what === 'session').length;

  await clock.advance(999);
  expect(healthy()).toBe(0);
  await clock.advance(1);
  expect(healthy()).toBe(16);
  await hanging.end();
  await Promise.all(hung);
  expect(healthy()).toBe(16);

  await slow.end();
  await Promise.all(others);
  expect(healthy()).toBe(20);
  expect(gate.report().waiting).toBe(0);
});

test('limits in a row without a time double the pause; those met together count once', async () => {
  const { clock, call, limit, gate } = aGate('rest');
  const answer = () => Promise.reject<HttpAnswer>(aLimit());
  await Promise.all([1, 2, 3].map(() => rejection(call('token', 'session', { answer }))));
  expect(gate.report().closedForMs).toBe(minuteMs);

  await clock.advance(minuteMs);
  await limit();
  expect(gate.report().closedForMs).toBe(2 * minuteMs);

  await clock.advance(2 * minuteMs);
  await call('token');
  await limit();
  expect(gate.report().closedForMs).toBe(minuteMs);
});

test('a primary limit that is nearly used up holds back the less important until its reset', async () => {
  const { clock, call, sent, gate } = aGate('rest');
  const header = {
    'x-ratelimit-remaining': '120',
    'x-ratelimit-limit': '5000',
    // The clock of the server is an hour ahead: only the distance to its own date counts.
    'x-ratelimit-reset': String((clock.now() + 61 * minuteMs) / 1000),
    date: new Date(clock.now() + 60 * minuteMs).toUTCString(),
  };
  await call('token', 'session', { answer: () => anAnswer(header) });
  expect(gate.report()).toMatchObject({ remaining: 120, limit: 5_000, closedForMs: 0 });

  const held = call('clean', 'cleanup');
  await call('jit', 'jit');
  expect(sent).toEqual(['token', 'jit']);
  await clock.advance(minuteMs);

  await held;
  expect(sent).toEqual(['token', 'jit', 'clean']);
});

test('closing ends every wait', async () => {
  const { call, limit, closing, clock } = aGate();
  await limit(10_000);
  const { signal } = new AbortController();
  const failed = rejection(call('jit', 'jit', { signal }));
  closing.abort(new Error('closed'));

  expect(await failed).toBe(closing.signal.reason);
  expect(clock.sleeping).toBe(0);
});
