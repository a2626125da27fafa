import type { Finding } from '@baton/shared/contracts';
import type { DoctorReport } from '@baton/shared/messaging';
import { clockLimits } from '@baton/shared/time';
import type { Colors } from '../context.ts';

/** One element of `baton doctor -o json`. Fields are only ever added. */
export interface FindingView {
  /** Which process checked: `cli`, `listener-0`. */
  place: string;
  check: string;
  about: string | null;
  outcome: Finding['outcome'];
  text: string;
}

const services = ['listener', 'provisioner', 'janitor'] as const;

/** The finding as one of a place. */
export function at(place: string, { check, about, outcome, text }: Finding): FindingView {
  return { place, check, about: about ?? null, outcome, text };
}

/**
 * What the services said, by place; and which did not that should have: the listeners that live by
 * their records (`members`), and at least one process of every service. Pure.
 */
export function serviceFindings(
  reports: readonly DoctorReport[],
  members: readonly string[],
): FindingView[] {
  const views = reports.flatMap((report) => reportFindings(report));
  const listeners = reports.filter(({ service }) => service === 'listener');
  const silent = members.filter((name) => !listeners.some(({ identity }) => identity === name));
  const absent = services.filter(
    (service) =>
      !reports.some((report) => report.service === service) &&
      !(service === 'listener' && silent.length > 0),
  );
  return [
    ...views.sort((a, b) => order(a.place) - order(b.place) || a.place.localeCompare(b.place)),
    ...silent.map((name) =>
      failed(
        placeOf('listener', name),
        'does not answer, and was alive a moment ago: look at its log',
      ),
    ),
    ...absent.map((service) =>
      failed(service, `no ${service} answered: start one, or look whether it reaches this NATS`),
    ),
  ];
}

function reportFindings({
  service,
  identity,
  clockAheadMs,
  findings,
}: DoctorReport): FindingView[] {
  const place = placeOf(service, identity);
  const clock = at(place, clockFinding('clock', -clockAheadMs, 'this machine'));
  if (findings) return [clock, ...findings.map((finding) => at(place, finding))];
  const text =
    'is there, and did not say in time what it found: give a longer --timeout, or look at its log';
  return [clock, failed(place, text)];
}

/** What a difference of clocks means; `aheadMs`: of the clock there, or here when it is the CLI's. */
export function clockFinding(check: string, aheadMs: number, other: string): Finding {
  const difference = Math.abs(aheadMs);
  if (difference <= clockLimits.warnMs) {
    return { check, outcome: 'ok', text: `agrees with that of ${other}` };
  }
  const side = aheadMs > 0 ? 'ahead of' : 'behind';
  const text = `the clock is at least ${(difference / 1_000).toFixed(1)} s ${side} that of ${other}: have both set by NTP`;
  return { check, outcome: difference <= clockLimits.failMs ? 'warning' : 'failed', text };
}

/** The instance is often named after the service; on a host of its own it has the host's name. */
function placeOf(service: string, identity: string): string {
  return identity.startsWith(service) ? identity : `${service} ${identity}`;
}

function failed(place: string, text: string): FindingView {
  return { place, check: 'answer', about: null, outcome: 'failed', text };
}

function order(place: string): number {
  return services.findIndex((service) => place.startsWith(service));
}

/** Grouped by place, and there by what it is about; a line for each finding. Pure. */
export function renderFindings(views: readonly FindingView[], colors: Colors): string {
  const width = Math.max(...views.map(({ check }) => check.length));
  const color = { ok: colors.green, warning: colors.yellow, failed: colors.red };
  const line = ({ check, about, outcome, text }: FindingView) => {
    const [indent, padding] = about === null ? ['  ', '    '] : ['    ', '  '];
    const shown = color[outcome](outcome.padEnd(7));
    return `${indent}${shown}${padding}${oneLine(check).padEnd(width)}  ${oneLine(text)}\n`;
  };
  const subject = ([about, found]: [string | null, FindingView[]]) =>
    `${about === null ? '' : `  ${oneLine(about)}\n`}${found.map(line).join('')}`;
  return [...Map.groupBy(views, ({ place }) => place)]
    .map(([place, found]) => {
      const subjects = [...Map.groupBy(found, ({ about }) => about)];
      return `${colors.bold(oneLine(place))}\n${subjects.map(subject).join('')}`;
    })
    .join('\n');
}

/** What GitHub sent may be part of a text. */
function oneLine(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
}
