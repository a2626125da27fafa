import { startOtlpReceiver } from '@baton/testkit';

/** Receives what services export, in a process of its own, and tells how many spans that were when asked. */
const receiver = await startOtlpReceiver();
process.on('message', () => {
  const byService: Record<string, number> = {};
  for (const { resource } of receiver.spans) {
    const service = String(resource['service.name']);
    byService[service] = (byService[service] ?? 0) + 1;
  }
  process.send?.({ url: receiver.url, byService, violations: receiver.violations });
});
process.on('disconnect', () => process.exit());
process.send?.({ ready: true });
