/** What a bare nats-server has: a stream in files, a durable pull consumer of it, and a bucket. */
export const bare = {
  stream: 'BARE',
  subject: 'bare.message',
  consumer: 'bare',
  bucket: 'bare',
} as const;
