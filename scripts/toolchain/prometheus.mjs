import { requirePrograms } from './programs.mjs';

/** Makes sure that a Prometheus can be started, and that rules can be tested. */
export async function requirePrometheus() {
  const packages = { prometheus: 'prometheus', promtool: 'prometheus' };
  await requirePrograms(packages, 'the tests of alerts and dashboards');
}
