import type { Floor } from '../measure/floor.ts';

/** Of some machine. */
export const aFloor: Floor = {
  processStartP50Ms: 30,
  natsRoundTripP50Ms: 0.1,
  natsP50Ms: 1,
  natsP99Ms: 2,
  httpP50Ms: 0.5,
  httpP99Ms: 1,
  messagesPerS: 9_000,
  cpuMsPerMessage: 0.1,
  cpuMsPerPacedMessage: 1,
  consumerRssMb: 60,
  ranges: {
    messagesPerS: { median: 9_000, min: 8_000, max: 9_500 },
    cpuMsPerMessage: { median: 0.1, min: 0.1, max: 0.1 },
  },
};
