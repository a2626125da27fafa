import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { changedSpec } from '../core/plan-apply.ts';
import { Refusal } from '../failure.ts';
import { findSpec } from '../read-records.ts';
import { type Stores, withStores } from '../stores.ts';
import { tellChanged } from '../tell-changed.ts';

const maxAttempts = 5;

export function registerEnableDisable(program: Command, context: Context): void {
  const register = (verb: 'enable' | 'disable', description: string) => {
    program
      .command(verb)
      .description(description)
      .argument('<name>', 'name or internal id of the scale set')
      .action(async (name: string) => {
        const said = await withStores(
          context,
          async (stores) => await setEnabled(stores, name, verb === 'enable'),
        );
        context.stdout.write(`${said}\n`);
      });
  };
  register('enable', 'let a scale set take jobs again');
  register('disable', 'close the session of a scale set; its jobs wait at GitHub');
}

/** Safe to repeat: what is so already is not written again. */
async function setEnabled(stores: Stores, name: string, enabled: boolean): Promise<string> {
  const word = enabled ? 'enabled' : 'disabled';
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    const { key, value: spec, revision } = await findSpec(stores, name);
    const said = `scale set "${spec.declaration.name}"`;
    if (spec.deleting) throw new Refusal(`${said} is being deleted and cannot be ${word}`);
    if (spec.declaration.enabled === enabled) return `${said} was ${word} already`;
    const declaration = { ...spec.declaration, enabled };
    const changed = changedSpec(spec, { declaration }, stores.clock.now());
    if ((await stores.specs.update(key, changed, revision)) !== undefined) {
      await tellChanged(stores, key, { what: word });
      return `${said} ${word}`;
    }
  }
  throw new Refusal(`scale set "${name}" is changed by others all the time: try again`);
}
