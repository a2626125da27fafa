import { Command } from 'commander';
import { z } from 'zod';
import { addJobsSchema } from '../control/schemas.ts';
import { SimControl } from '../control/sim-control.ts';
import { faultRuleSchema } from '../core/fault-rule.ts';
import type { CliContext } from './context.ts';
import { serveCommand } from './serve-command.ts';

const urlSchema = z.object({ url: z.url() });
const numberSchema = z.coerce.number();

export function simProgram(context: CliContext): Command {
  const program = new Command('github-sim').description('a simulated GitHub Actions service');
  program.addCommand(serveCommand(context));
  program.addCommand(jobsCommand(context));
  program.addCommand(faultCommand(context));
  for (const name of ['state', 'books'] as const) {
    program.addCommand(
      clientCommand(name, `print the ${name} as JSON`).action(async (given: unknown) => {
        context.print(JSON.stringify(await controlOf(given)[name](), null, 2));
      }),
    );
  }
  return program;
}

function jobsCommand({ print }: CliContext): Command {
  const add = clientCommand('add', 'queue jobs and print their ids')
    .option('--count <number>', 'how many', '1')
    .option('--duration-ms <ms>', 'how long each runs', '1000')
    .option('--scale-set <name>', 'the scale set; or give labels')
    .option('--labels <labels...>', 'labels that the scale set must have')
    .option('--repository <owner/name>', 'where they come from', 'acme/app')
    .action(async (given: unknown) => {
      const numbers = z.object({ count: numberSchema, durationMs: numberSchema }).loose();
      const jobs = addJobsSchema.parse(numbers.parse(given));
      for (const id of await controlOf(given).addJobs(jobs)) print(id);
    });
  const list = clientCommand('list', 'print all jobs, one JSON line each').action(
    async (given: unknown) => {
      for (const job of await controlOf(given).jobs()) print(JSON.stringify(job));
    },
  );
  const cancel = clientCommand('cancel', 'cancel a job')
    .argument('<id>')
    .action(async (id: string, given: unknown) => {
      await controlOf(given).cancelJob(id);
    });
  return new Command('jobs')
    .description('jobs of a running simulator')
    .addCommand(add)
    .addCommand(list)
    .addCommand(cancel);
}

function faultCommand({ print }: CliContext): Command {
  const add = clientCommand('add', 'add a fault rule and print its id')
    .argument('<rule>', 'JSON: {"route":"getMessage","first":3,"action":{"kind":"empty200"}}')
    .action(async (rule: string, given: unknown) => {
      print(await controlOf(given).addFault(faultRuleSchema.parse(JSON.parse(rule))));
    });
  const clear = clientCommand('clear', 'end one fault, or all')
    .argument('[id]')
    .action(async (id: string | undefined, given: unknown) => {
      await controlOf(given).clearFaults(id);
    });
  return new Command('fault')
    .description('faults of a running simulator')
    .addCommand(add)
    .addCommand(clear);
}

function clientCommand(name: string, text: string): Command {
  return new Command(name)
    .description(text)
    .requiredOption('--url <url>', 'of the running simulator');
}

function controlOf(given: unknown): SimControl {
  return new SimControl(urlSchema.parse(given).url);
}
