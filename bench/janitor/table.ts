import { renderTable } from '../table.ts';
import type { JanitorReport } from './janitor.ts';

/** The figures with what they are meant to be. */
export function janitorTable(report: JanitorReport): string {
  const { marked200Ms, marked200Each = [], outage100Ms, deletions = [], costRatio, floor } = report;
  const lines: (string | false)[] = [
    marked200Ms !== undefined &&
      `200 marked, a delete takes 200 ms: gone after ${marked200Ms} ms (${marked200Each.join(', ')}; goal: at most 2000)`,
    outage100Ms !== undefined &&
      `100 marked while GitHub is down: no instance after ${outage100Ms} ms (goal: at most 5000)`,
    deletions.length > 0 && deletionTable(deletions),
    deletions.length > 0 && `goal: 500 deletions/s with 10000`,
    costRatio !== undefined && `cost ratio, most to fewest: ${costRatio} (goal: at most 1.3)`,
    floor !== undefined &&
      `floor: NATS round trip ${floor.natsP50Ms} ms, HTTP round trip ${floor.httpP50Ms} ms (p50)`,
  ];
  return lines.filter((line) => line !== false).join('\n');
}

function deletionTable(deletions: NonNullable<JanitorReport['deletions']>): string {
  const heading = ['marked', 'deletions/s', 'CPU ms each: janitor', 'NATS', 'simulator'];
  const rows = deletions.map(({ marked, perS, cpuMs }) =>
    [marked, perS, cpuMs.janitor, cpuMs.nats, cpuMs.simulator].map(String),
  );
  return renderTable([heading, ...rows]);
}
