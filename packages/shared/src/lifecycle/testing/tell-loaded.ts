import { writeSync } from 'node:fs';
import { registerHooks } from 'node:module';

// Imported before a process begins: at its end it tells on stderr what of OpenTelemetry was loaded.
const loaded = new Set<string>();

registerHooks({
  load: (url, context, next) => {
    const [name] = /@opentelemetry[/+][a-z-]+/.exec(url) ?? [];
    if (name !== undefined) loaded.add(name.replace('+', '/'));
    return next(url, context);
  },
});
process.on('exit', () => writeSync(2, `loaded: ${[...loaded].toSorted().join(' ')}.\n`));
