/**
 * The whole configuration as one schema, for editors and the reference: what a file may say, part by part. What goes
 * across parts, `check.ts` alone knows.
 *
 * @packageDocumentation
 */
import { nameField } from 'dpdk-vhost'
import * as z from 'zod'
import { attachmentShape } from './attachment.js'
import { DESCRIPTIONS } from './descriptions.js'
import { apiPorts } from './fields.js'
import {
  adminSchema,
  bridgeSchema,
  datapathSchema,
  lcoreSchema,
  loggingSchema,
  metricsSchema,
} from './schema.js'

const value = z.union([z.string(), z.int(), z.literal(true)])

const action = z.union([
  z.string(),
  z.strictObject({ output: z.union([z.string(), z.int()]) }),
  z.strictObject({ set_field: z.record(z.string(), z.union([z.string(), z.int()])) }),
  z.strictObject({
    controller: z.strictObject({ max_len: z.int().min(0).max(65535).optional() }),
  }),
  z.strictObject({ push_vlan: z.int() }),
  z.strictObject({ meter: z.int() }),
  z.strictObject({ goto_table: z.int() }),
])

/** A rule as far as editors need to know; the flow table's checker knows the rest. */
const flow = z.union([
  z.string(),
  z.strictObject({
    table: z.int().min(0).max(254).optional(),
    priority: z.int().min(0).max(65535).default(32768),
    cookie: z.int().min(0).default(0),
    idle_timeout: z.int().min(0).max(65535).default(0),
    hard_timeout: z.int().min(0).max(65535).default(0),
    match: z.record(z.string(), value).default({}),
    actions: z.array(action),
  }),
])

const ports = apiPorts.map((schema) => schema.extend(attachmentShape))

const fileSchema = z.strictObject({
  $schema: z.string().optional(),
  datapath: datapathSchema.prefault({}),
  lcores: z.array(lcoreSchema).min(1).optional(),
  bridges: z
    .array(bridgeSchema.extend({ flows: z.array(flow).optional() }))
    .min(1)
    .optional(),
  ports: z.array(z.discriminatedUnion('type', ports as [(typeof ports)[number]])).default([]),
  admin: adminSchema.prefault({}),
  logging: loggingSchema.prefault({}),
  metrics: metricsSchema.optional(),
})

/** JSON Schema, as far as it is used here. */
export type JsonSchema = z.core.JSONSchema.BaseSchema

/**
 * The configuration as JSON Schema (draft 2020-12), with a description of every key: shipped as `vswitch.schema.json`.
 * Whatever `checkConfig` takes fits it; names that have to agree are beyond it.
 */
export function configJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(fileSchema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => refine(zodSchema, jsonSchema),
  })
  const properties = schema.properties as Record<string, JsonSchema>
  for (const key of ['lcores', 'bridges'] as const)
    properties[key] = {
      ...properties[key],
      default: [{ name: key === 'lcores' ? 'lcore0' : 'br0' }],
    }
  const described = describe(schema, '')
  const { $schema, ...rest } = described
  return { $schema: $schema as never, title: 'vswitch', ...rest }
}

/** Says what a schema checks in code. */
function refine(schema: unknown, json: JsonSchema): void {
  if (schema === nameField) json.pattern = '^[A-Za-z0-9_][A-Za-z0-9_.:@+-]{0,63}$'
  if (json.description === 'the absolute path of the socket') {
    json.pattern = '^/.*[^/]$'
    json.maxLength = 107
  }
  if (json.description === "permission bits, such as '0660'") {
    // A number in a file is one in decimal, which nobody means; 0o660 of YAML is one by the time it is seen.
    json.anyOf = [
      { type: 'string', pattern: '^0?o?[0-7]{3}$' },
      { type: 'integer', minimum: 0, maximum: 0o777 },
    ]
  }
  if (json.description === 'a name or a number') {
    json.anyOf = [
      { type: 'string', pattern: '^[A-Za-z0-9_][A-Za-z0-9_.@-]*\\$?$' },
      { type: 'integer', minimum: 0, maximum: 0xfffffffe },
    ]
  }
}

/** Puts descriptions for readers in place of the words for messages. */
function describe(schema: JsonSchema, path: string): JsonSchema {
  const { description: _, ...rest } = schema
  const text = DESCRIPTIONS[path]
  const out: JsonSchema = { ...(text === undefined ? {} : { description: text }), ...rest }
  if (schema.properties !== undefined) {
    out.properties = Object.fromEntries(
      Object.entries(schema.properties).map(([key, inner]) => [
        key,
        describe(inner as JsonSchema, path === '' ? key : `${path}.${key}`),
      ]),
    )
  }
  const bare = (inner: unknown) => {
    const { description: __, ...other } = describe(inner as JsonSchema, path)
    return other
  }
  if (typeof schema.additionalProperties === 'object')
    out.additionalProperties = bare(schema.additionalProperties)
  if (schema.items !== undefined) out.items = bare(schema.items)
  if (schema.anyOf !== undefined) out.anyOf = schema.anyOf.map(bare)
  if (schema.oneOf !== undefined) out.oneOf = schema.oneOf.map(bare)
  return out
}
