import { z } from 'zod';

export type AttributeValue = string | number | bigint | boolean | AttributeValue[];

const longSchema = z
  .union([z.string().regex(/^-?\d+$/), z.int()])
  .transform((value) => BigInt(value));

const plainValueSchema = z.looseObject({
  stringValue: z.string().optional(),
  boolValue: z.boolean().optional(),
  intValue: longSchema.optional(),
  doubleValue: z.number().optional(),
});
const valueSchema = plainValueSchema.extend({
  arrayValue: z.looseObject({ values: z.array(plainValueSchema).default([]) }).optional(),
});

type PlainValue = z.infer<typeof plainValueSchema>;

function plainValue({ stringValue, boolValue, intValue, doubleValue }: PlainValue) {
  const whole = Number.isSafeInteger(Number(intValue)) ? Number(intValue) : intValue;
  return stringValue ?? boolValue ?? doubleValue ?? (intValue === undefined ? undefined : whole);
}

/** Keys are not empty and unique; values are what the specification knows, but for maps and bytes. */
export const attributesSchema = z
  .array(z.looseObject({ key: z.string().min(1), value: valueSchema }))
  .default([])
  .transform((pairs, context) => {
    const read: Record<string, AttributeValue> = {};
    for (const { key, value } of pairs) {
      const list = value.arrayValue?.values.flatMap((one) => plainValue(one) ?? []);
      const found = list ?? plainValue(value);
      if (found === undefined) context.addIssue({ code: 'custom', message: `${key} has no value` });
      else if (key in read) context.addIssue({ code: 'custom', message: `${key} is there twice` });
      else read[key] = found;
    }
    return read;
  });

/** ns since 1970; 0 would be 1970 itself, which is a mistake. */
export const timeSchema = longSchema.refine((ns) => ns > 0n, { error: 'is no time' });
export const countSchema = longSchema.refine((count) => count >= 0n, { error: 'is below 0' });

/** The specification wants `service.name` of every SDK. */
export const resourceSchema = z
  .looseObject({ attributes: attributesSchema })
  .transform(({ attributes }) => attributes)
  .refine((attributes) => 'service.name' in attributes, { error: 'has no service.name' });

export const scopeSchema = z.looseObject({
  name: z.string().default(''),
  version: z.string().optional(),
});
