import { type Dashboard, highest, quantile, rateBy } from './dashboard.ts';

const ours = 'job=~"baton-.+"';

export const platform: Dashboard = {
  uid: 'baton-platform',
  title: 'Baton / Platform',
  description: 'NATS, processes and telemetry: what all services stand on.',
  rows: [
    {
      title: 'Services',
      panels: [
        {
          title: 'Processes that answer',
          description: 'By service. 0: its work is not done.',
          unit: 'short',
          queries: [{ expr: `sum by (job) (up{${ours}})`, legend: '{{job}}' }],
        },
        {
          title: 'Without NATS',
          description: 'Processes that have no connection to NATS.',
          unit: 'short',
          thresholds: { bad: 1 },
          queries: [{ expr: 'sum by (job) (1 - baton_nats_connected)', legend: '{{job}}' }],
        },
        {
          title: 'Connected to NATS again',
          description: 'A restart of NATS shows once for each process.',
          unit: 'ops',
          queries: [{ expr: rateBy('job', 'baton_nats_reconnects_total'), legend: '{{job}}' }],
        },
      ],
    },
    {
      title: 'Messages',
      panels: [
        {
          title: 'Handled',
          description: 'Messages a second, by consumer and outcome.',
          unit: 'ops',
          queries: [
            {
              expr: rateBy('consumer, outcome', 'baton_messages_handled_total'),
              legend: '{{consumer}} {{outcome}}',
            },
          ],
        },
        {
          title: 'Time of handling (p95)',
          description: 'By consumer.',
          unit: 's',
          queries: [
            {
              expr: quantile(0.95, 'baton_message_handling_seconds', { labels: 'consumer' }),
              legend: '{{consumer}}',
            },
          ],
        },
        {
          title: 'Given to nobody yet',
          description: 'An alert comes above 1,000 for 5 minutes: too few processes, or none.',
          unit: 'short',
          thresholds: { warning: 500, bad: 1_000 },
          queries: [
            { expr: highest('consumer', 'baton_consumer_pending'), legend: '{{consumer}}' },
          ],
        },
        {
          title: 'Being handled',
          description: 'Given to a process and not acknowledged.',
          unit: 'short',
          queries: [
            { expr: highest('consumer', 'baton_consumer_ack_pending'), legend: '{{consumer}}' },
          ],
        },
        {
          title: 'Given again',
          description:
            'Of those that are being handled: handlers that fail, or processes that died.',
          unit: 'short',
          queries: [
            { expr: highest('consumer', 'baton_consumer_redelivered'), legend: '{{consumer}}' },
          ],
        },
        {
          title: 'Dead letters',
          description: 'Stored, by service. "baton dead list" shows them.',
          unit: 'short',
          thresholds: { bad: 1 },
          queries: [{ expr: highest('service', 'baton_dead_letters'), legend: '{{service}}' }],
        },
      ],
    },
    {
      title: 'Processes',
      panels: [
        {
          title: 'CPU',
          description: 'Cores, user and system. Near 1: start another process of the service.',
          unit: 'short',
          thresholds: { warning: 0.8, bad: 1 },
          queries: [
            {
              expr: rateBy('job, instance', 'process_cpu_seconds_total', ours),
              legend: '{{job}} {{instance}}',
            },
          ],
        },
        {
          title: 'Memory',
          description: 'Resident memory.',
          unit: 'bytes',
          queries: [
            {
              expr: highest('job, instance', 'process_resident_memory_bytes', ours),
              legend: '{{job}} {{instance}}',
            },
          ],
        },
        {
          title: 'Event loop',
          description: 'The longest wait of the last minute or two. Above 0.5 s for long: starved.',
          unit: 's',
          thresholds: { warning: 0.1, bad: 0.5 },
          queries: [
            {
              expr: highest('job, instance', 'baton_event_loop_delay_seconds'),
              legend: '{{job}} {{instance}}',
            },
          ],
        },
        {
          title: 'Open files',
          description: 'Sockets included. What grows for ever is a leak.',
          unit: 'short',
          queries: [
            {
              expr: highest('job, instance', 'process_open_fds', ours),
              legend: '{{job}} {{instance}}',
            },
          ],
        },
        {
          title: 'Age',
          description: 'Time since each process was started.',
          unit: 's',
          queries: [
            {
              expr: `time() - ${highest('job, instance', 'process_start_time_seconds', ours)}`,
              legend: '{{job}} {{instance}}',
            },
          ],
        },
        {
          title: 'Versions',
          description: 'What runs. Two versions of one service are an update under way.',
          kind: 'table',
          unit: 'short',
          queries: [
            {
              expr: 'count by (job, version, node) (baton_build_info)',
              legend: '{{job}} {{version}} {{node}}',
            },
          ],
        },
      ],
    },
    {
      title: 'Telemetry',
      panels: [
        {
          title: 'Spans',
          description: 'failed: the collector does not take them; dropped: more than can be sent.',
          kind: 'stacked',
          unit: 'ops',
          queries: [
            {
              expr: rateBy('job, outcome', 'baton_spans_total'),
              legend: '{{job}} {{outcome}}',
            },
          ],
        },
        {
          title: 'Metrics sent by OTLP',
          description:
            'Nothing where metrics are only scraped. failed: the collector does not take them.',
          kind: 'stacked',
          unit: 'ops',
          queries: [
            {
              expr: rateBy('job, outcome', 'baton_metric_exports_total'),
              legend: '{{job}} {{outcome}}',
            },
          ],
        },
      ],
    },
  ],
};
