import { describe, expect, test } from 'vitest';
import { AppError, ConfigError, TimeoutError } from './app-error.ts';
import { errorText, toAppError } from './to-app-error.ts';

describe('toAppError', () => {
  test('keeps what is one already', () => {
    const error = new ConfigError('wrong');

    expect(toAppError(error)).toBe(error);
  });

  test('makes anything else an unexpected one, with its cause', () => {
    const cause = new TypeError('undefined is not a function');

    expect(toAppError(cause)).toMatchObject({
      code: 'unexpected',
      message: 'undefined is not a function',
      cause,
    });
    expect(toAppError('just text')).toMatchObject({ code: 'unexpected', message: 'just text' });
  });
});

describe('errorText', () => {
  test('tells the chain of causes in one line', () => {
    const error = new AppError('nats', 'publish failed', {
      cause: new Error('request failed', { cause: new RangeError() }),
    });

    expect(errorText(error)).toBe('publish failed: request failed: RangeError');
  });
});

test('each error has the name of its class and says whether it may pass', () => {
  expect(new TimeoutError('late')).toMatchObject({ name: 'TimeoutError', retryable: true });
  expect(new ConfigError('wrong')).toMatchObject({ name: 'ConfigError', retryable: false });
});
