import { describe, expect, test } from 'vitest';
import type { ComputeProvider } from '../../../provider.ts';
import { aRequest } from '../../../testing/a-request.ts';
import type { Rule } from '../cluster.ts';
import { documentedRules } from '../documented-rules.ts';
import type { KubeBench } from '../kube-bench.ts';
import { listed, signal } from './pods.ts';

type Act = (provider: ComputeProvider) => Promise<unknown>;

const create: Act = async (provider) => await provider.create(aRequest(), signal);
const list: Act = async (provider) => await provider.list(signal);
const remove: Act = async (provider) => await provider.delete('baton-runner-1', signal);

/** Each right of the documented Role, and the call that cannot do without it. */
const needs: Array<[string, string, Act]> = [
  ['get', 'pods', remove],
  ['list', 'pods', list],
  ['watch', 'pods', list],
  ['create', 'pods', create],
  ['delete', 'pods', remove],
  ['create', 'secrets', create],
  ['deletecollection', 'secrets', remove],
];

export function rightsTests(bench: () => KubeBench): void {
  describe('with every right of the documented Role but one', () => {
    test.each(needs)('says that it may not %s %s', async (verb, resource, act) => {
      const { provider, makeWith } = bench();
      if (act === remove) await create(provider);
      const rules = without(await documentedRules(), { verb, resource });
      const weak = await makeWith(rules, { listMaxAgeMs: 5_000 });

      const acting = act(weak);

      await expect(acting).rejects.toMatchObject({ class: 'denied', retryable: false });
      await expect(acting).rejects.toThrow(`cannot ${verb} resource "${resource}"`);
    });
  });

  test('the table of rights is the documented Role', async () => {
    const documented = (await documentedRules()).flatMap(({ resources, verbs }) =>
      resources.flatMap((resource) => verbs.map((verb) => `${verb} ${resource}`)),
    );

    expect(new Set(documented)).toEqual(new Set(needs.map(([verb, kind]) => `${verb} ${kind}`)));
  });

  test('a create that may not make the Secret takes its pod back', async () => {
    const { makeWith, namespace, kubelet } = bench();
    kubelet.isHeld = () => true;
    const rules = without(await documentedRules(), { verb: 'create', resource: 'secrets' });
    const weak = await makeWith(rules);

    await expect(create(weak)).rejects.toMatchObject({ class: 'denied' });

    expect(await listed(namespace, 'pods')).toEqual([]);
  });

  test('a token that the API server does not know is denied', async () => {
    const provider = await bench().makeAsStranger();

    await expect(provider.list(signal)).rejects.toMatchObject({ class: 'denied' });
    await expect(provider.list(signal)).rejects.toThrow('Unauthorized');
  });
}

function without(rules: Rule[], right: { verb: string; resource: string }): Rule[] {
  return rules.map(({ resources, verbs }) =>
    resources.includes(right.resource)
      ? { resources, verbs: verbs.filter((verb) => verb !== right.verb) }
      : { resources, verbs },
  );
}
