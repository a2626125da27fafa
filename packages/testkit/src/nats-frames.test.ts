import { describe, expect, test } from 'vitest';
import { type Frame, FrameReader } from './nats-frames.ts';

const stream = [
  'INFO {"port":4222}\r\n',
  'PING\r\n',
  'SUB a.* 1\r\n',
  'PUB a.b 5\r\nhello\r\n',
  'PUB a.b _INBOX.x 0\r\n\r\n',
  'HPUB a.c _INBOX.y 12 17\r\nNATS/1.0\r\n\r\nPUB a\r\n',
  'hpub a.d 12 12\r\nNATS/1.0\r\n\r\n\r\n',
  'MSG a.e 7 3\r\n\r\n!\r\n',
  'MSG a.f 7 _INBOX.z 1\r\n!\r\n',
  'HMSG a.g 7 _INBOX.q 12 13\r\nNATS/1.0\r\n\r\n!\r\n',
  '+OK\r\n',
];

const heads = (frames: Frame[]) =>
  frames.map(({ verb, subject, reply }) => [verb, subject, reply].filter(Boolean).join(' '));

describe('FrameReader', () => {
  test.each([1, 2, 3, 7, 1_000])(
    'cuts a stream that comes %i bytes at a time into its frames',
    (size) => {
      const reader = new FrameReader();
      const bytes = Buffer.from(stream.join(''));

      const frames: Frame[] = [];
      for (let at = 0; at < bytes.length; at += size) {
        frames.push(...reader.read(bytes.subarray(at, at + size)));
      }

      expect(frames.map((frame) => frame.bytes.toString())).toEqual(stream);
      expect(heads(frames)).toEqual([
        'INFO',
        'PING',
        'SUB',
        'PUB a.b',
        'PUB a.b _INBOX.x',
        'HPUB a.c _INBOX.y',
        'HPUB a.d',
        'MSG a.e',
        'MSG a.f _INBOX.z',
        'HMSG a.g _INBOX.q',
        '+OK',
      ]);
    },
  );

  test('keeps a frame back until its payload is complete', () => {
    const reader = new FrameReader();

    expect(reader.read(Buffer.from('PUB a 5\r\nhello'))).toEqual([]);
    expect(heads(reader.read(Buffer.from('\r\n')))).toEqual(['PUB a']);
  });

  test.each(['PUB a b c 5\r\n', 'PUB 5\r\n', 'PUB a five\r\n', 'HMSG a 1 12\r\n'])(
    'refuses %j',
    (line) => {
      expect(() => new FrameReader().read(Buffer.from(line))).toThrow('not a line of NATS');
    },
  );
});
