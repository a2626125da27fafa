import { describe, expect, test } from 'vitest';
import { commandSubject, deadSubject, eventSubject, replaySubject } from '../contracts/index.ts';
import { messageType } from './message-type.ts';

describe('messageType', () => {
  test.each([
    [
      eventSubject('listener', 'linux-1', 'demand', 'changed'),
      'demand.changed',
      'baton.v1.event.listener.*.demand.changed',
    ],
    [
      eventSubject('janitor', 'linux-1', 'runner', 'deleted'),
      'runner.deleted',
      'baton.v1.event.janitor.*.runner.deleted',
    ],
    [commandSubject('create', 'linux-1'), 'create', 'baton.v1.command.create.*'],
    [commandSubject('delete', 'linux-1'), 'delete', 'baton.v1.command.delete.*'],
    [replaySubject('listener'), 'replay', 'baton.v1.command.replay.*'],
    [deadSubject('listener', 'message'), 'dead-letter', 'baton.v1.dead.*.*'],
  ])('%s is %s', (subject, name, template) => {
    expect(messageType(subject)).toEqual({ name, template });
  });
});
