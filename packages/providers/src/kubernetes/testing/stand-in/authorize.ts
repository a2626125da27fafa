import { z } from 'zod';
import { ApiStatus } from './api-status.ts';
import type { ObjectStore } from './object-store.ts';
import type { Route } from './route.ts';

const roleSchema = z.looseObject({
  metadata: z.looseObject({ name: z.string() }),
  rules: z.array(
    z.strictObject({
      apiGroups: z.array(z.string()),
      resources: z.array(z.string()),
      verbs: z.array(z.string()),
    }),
  ),
});
const bindingSchema = z.looseObject({
  roleRef: z.looseObject({ kind: z.literal('Role'), name: z.string() }),
  subjects: z.array(z.looseObject({ kind: z.literal('User'), name: z.string() })),
});

export const adminName = 'admin';

/** RBAC by the Roles and RoleBindings of the namespace. @throws ApiStatus 403 as the real one words it. */
export function authorize(store: ObjectStore, user: string, route: Route): void {
  if (user === adminName) return;
  const { namespace, group, verb } = route;
  const resource = [route.resource, route.subresource].filter(Boolean).join('/');
  const roles = store.list({ resource: 'roles', namespace }).map((role) => roleSchema.parse(role));
  const bound = store
    .list({ resource: 'rolebindings', namespace })
    .map((binding) => bindingSchema.parse(binding))
    .filter(({ subjects }) => subjects.some(({ name }) => name === user))
    .map(({ roleRef }) => roleRef.name);
  const isAllowed = roles
    .filter(({ metadata }) => bound.includes(metadata.name))
    .flatMap(({ rules }) => rules)
    .some(
      (rule) =>
        rule.apiGroups.includes(group) &&
        rule.resources.includes(resource) &&
        rule.verbs.includes(verb),
    );
  if (isAllowed) return;
  const named = route.name ? `${route.resource} "${route.name}"` : route.resource;
  const place = namespace ? ` in the namespace "${namespace}"` : ' at the cluster scope';
  const message = `${named} is forbidden: User "${user}" cannot ${verb} resource "${resource}" in API group "${group}"${place}`;
  throw new ApiStatus(403, 'Forbidden', message, { name: route.name, kind: route.resource });
}
