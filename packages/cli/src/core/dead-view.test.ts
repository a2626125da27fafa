import { describe, expect, test } from 'vitest';
import { formatBytes, prettyBody, shorten } from './dead-view.ts';

describe('prettyBody', () => {
  test('spreads JSON over lines without rounding a 64-bit id', () => {
    const body = '{"messageId":9007199254740993,"body":"[{}]","list":[1,[],{}],"none":{}}';

    expect(prettyBody(body)).toBe(`{
  "messageId": 9007199254740993,
  "body": "[{}]",
  "list": [
    1,
    [],
    {}
  ],
  "none": {}
}`);
  });

  test.each([
    ['"a \\" b: {, ]"'],
    ['{"a\\\\":"\\\\","b":[{"c":[]},[[1]],-1.5e-3,null,true]}'],
    [' [ 1 ,\n 2 ] '],
    ['17'],
  ])('changes nothing that %s means', (text) => {
    expect(JSON.parse(prettyBody(text))).toEqual(JSON.parse(text));
  });

  test('leaves other text as it is, but for what a terminal would act on', () => {
    expect(prettyBody('{"cut": \u001b[2Joff\r\n')).toBe('{"cut": [2Joff\n');
  });
});

test.each([
  [0, '0'],
  [999, '999'],
  [1_000, '1.0k'],
  [999_949, '999.9k'],
  [999_950, '1.0M'],
  [1_300_000, '1.3M'],
])('%i bytes are shown as %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test('a text is shortened with the mark that there is more', () => {
  expect([shorten('abcd', 4), shorten('abcde', 4)]).toEqual(['abcd', 'abc…']);
});
