import { chosen, type Dashboard, highest, quantile, rateBy, spread } from './dashboard.ts';

export const listener: Dashboard = {
  uid: 'baton-listener',
  title: 'Baton / Listener',
  description: 'Sessions at GitHub, leases, polls, and calls to GitHub of every service.',
  rows: [
    {
      title: 'Sessions',
      panels: [
        {
          title: 'Scale sets by state',
          description:
            'Those that a listener only waits for are left out: their owner tells of them.',
          kind: 'stacked',
          unit: 'short',
          queries: [
            {
              expr: `count by (state) (${highest('scale_set, state', 'baton_scale_set_state', `${chosen},state!="waiting"`)})`,
              legend: '{{state}}',
            },
          ],
        },
        {
          title: 'Session age',
          description: 'Falls to 0 when a session is opened anew; a handed over session goes on.',
          unit: 's',
          queries: [
            {
              expr: highest('scale_set', 'baton_session_age_seconds', chosen),
              legend: '{{scale_set}}',
            },
          ],
        },
        {
          title: 'Sessions opened',
          description: 'By how they were got: resumed and taken over are quick, waited out is not.',
          unit: 'ops',
          queries: [
            { expr: rateBy('how', 'baton_sessions_opened_total', chosen), legend: '{{how}}' },
          ],
        },
        {
          title: 'Sessions replaced',
          description:
            'By reason. More than now and then: another client, or a proxy that cuts polls.',
          unit: 'ops',
          quiet: true,
          queries: [
            {
              expr: rateBy('reason', 'baton_sessions_replaced_total', chosen),
              legend: '{{reason}}',
            },
          ],
        },
        {
          title: 'Conflicts',
          description: 'Sessions that GitHub refused because another one is active.',
          unit: 'ops',
          quiet: true,
          queries: [
            {
              expr: rateBy('scale_set', 'baton_session_conflicts_total', chosen),
              legend: '{{scale_set}}',
            },
          ],
        },
        {
          title: 'Gap between sessions',
          description: 'For how long a scale set was not polled when its session changed.',
          unit: 's',
          thresholds: { warning: 5, bad: 60 },
          quiet: true,
          queries: spread('baton_session_gap_seconds'),
        },
      ],
    },
    {
      title: 'Leases',
      panels: [
        {
          title: 'Leases taken',
          description: 'By what was found: broken and expired follow a process that died.',
          unit: 'ops',
          queries: [
            { expr: rateBy('how', 'baton_lease_takeovers_total', chosen), legend: '{{how}}' },
          ],
        },
        {
          title: 'Leases without a holder (p95)',
          description: 'How long leases that were taken had been free, or their holder silent.',
          unit: 's',
          quiet: true,
          queries: [
            {
              expr: quantile(0.95, 'baton_lease_takeover_seconds', { labels: 'how' }),
              legend: '{{how}}',
            },
          ],
        },
        {
          title: 'Renewals',
          description: 'Renewals that fail come before a lost lease.',
          unit: 'ops',
          queries: [
            { expr: rateBy('outcome', 'baton_lease_renewals_total'), legend: '{{outcome}}' },
          ],
        },
        {
          title: 'Leases lost',
          description: 'Leases that ended without being given up, by reason.',
          unit: 'ops',
          quiet: true,
          queries: [
            { expr: rateBy('reason', 'baton_lease_lost_total', chosen), legend: '{{reason}}' },
          ],
        },
      ],
    },
    {
      title: 'Polls',
      panels: [
        {
          title: 'Time since a poll was answered',
          description: 'Up to 50 s is a poll that waits. Above 180 s the scale set is not polled.',
          unit: 's',
          thresholds: { warning: 75, bad: 180 },
          queries: [
            {
              expr: `min by (scale_set) (baton_last_poll_age_seconds{${chosen}})`,
              legend: '{{scale_set}}',
            },
          ],
        },
        {
          title: 'Messages',
          description: 'Messages that GitHub delivered, repeated ones included.',
          unit: 'ops',
          queries: [
            { expr: rateBy('scale_set', 'baton_messages_total', chosen), legend: '{{scale_set}}' },
          ],
        },
        {
          title: 'Message to event',
          description: 'From the answer of a poll to the stored event.',
          unit: 's',
          queries: spread('baton_message_to_event_seconds'),
        },
        {
          title: 'Polls that failed',
          description: 'By kind: unavailable is GitHub, gone a session that ended.',
          unit: 'ops',
          quiet: true,
          queries: [
            { expr: rateBy('kind', 'baton_poll_failures_total', chosen), legend: '{{kind}}' },
          ],
        },
        {
          title: 'Capacity told to GitHub',
          description:
            'How many runners GitHub is told could run; it assigns no more jobs than that.',
          unit: 'short',
          queries: [
            {
              expr: highest('scale_set', 'baton_advertised_capacity', chosen),
              legend: '{{scale_set}}',
            },
          ],
        },
        {
          title: 'Messages that were not understood',
          description: 'Kept as dead letters; "baton dead list" shows them.',
          unit: 'ops',
          quiet: true,
          queries: [
            {
              expr: rateBy('scale_set', 'baton_dead_letters_total', chosen),
              legend: '{{scale_set}}',
            },
          ],
        },
      ],
    },
    {
      title: 'GitHub, as every service sees it',
      panels: [
        {
          title: 'Calls',
          description: 'Calls a second, by operation and how they ended.',
          unit: 'ops',
          queries: [
            {
              expr: rateBy('operation, outcome', 'baton_github_requests_total'),
              legend: '{{operation}} {{outcome}}',
            },
          ],
        },
        {
          title: 'Time of calls (p95)',
          description: 'Polls take up to 50 s because they wait; everything else is GitHub.',
          unit: 's',
          queries: [
            {
              expr: quantile(0.95, 'baton_github_request_seconds', { labels: 'operation' }),
              legend: '{{operation}}',
            },
          ],
        },
        {
          title: 'Rate limit that is left',
          description: 'Share of the hourly limit; at 0 GitHub refuses until the hour is over.',
          unit: 'percentunit',
          queries: [
            {
              expr: 'min by (credential) (baton_github_rate_limit_remaining) / max by (credential) (baton_github_rate_limit)',
              legend: '{{credential}}',
            },
          ],
        },
      ],
    },
  ],
};
