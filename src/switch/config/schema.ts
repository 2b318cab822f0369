/**
 * Schemas of the parts of a configuration. Each part is checked by itself, so that what is wrong in one hides nothing in
 * another; `file-schema.ts` puts them together for editors.
 *
 * @packageDocumentation
 */
import { datapathOptions, LOG_LEVELS, launchOptions, modeField, nameField } from 'dpdk-vhost'
import { meterSchema } from 'dpdk-vhost/programs/flow-table/meters'
import * as z from 'zod'
import {
  fileField,
  interfaceAddressField,
  interfaceField,
  listenField,
  macField,
  vlanField,
  vlanListField,
} from './fields.js'

export const datapathSchema = datapathOptions

export const lcoreSchema = launchOptions.omit({ data: true, onStuck: true })

const framesPerSecond = z
  .int()
  .min(1)
  .max(2 ** 31 - 1)
  .optional()

const localObject = z.strictObject({
  iface: interfaceField.optional(),
  addresses: z.array(interfaceAddressField).default([]),
  mac: macField.optional(),
})

const staticMac = z.strictObject({ mac: macField, vlan: vlanField.default(0), port: nameField })

const mirror = z.strictObject({
  name: nameField,
  selectAll: z.boolean().default(false),
  selectSrcPort: z.array(nameField).default([]),
  selectDstPort: z.array(nameField).default([]),
  selectVlan: vlanListField.prefault([]),
  outputPort: nameField.optional(),
  outputVlan: z.int().min(1).max(4095).optional(),
  snaplen: z.int().min(14).max(65_535).optional(),
})

/** A bridge but for its rules, which the flow table's own checker reads. */
export const bridgeSchema = z.strictObject({
  name: nameField,
  ageing: z.int().min(1).max(86_400).default(300),
  tableSize: z.int().min(16).max(1_048_576).default(8192),
  forwardBpdu: z.boolean().default(false),
  staticMacs: z.array(staticMac).prefault([]),
  stormLimit: z
    .strictObject({
      broadcast: framesPerSecond,
      multicast: framesPerSecond,
      unknownUnicast: framesPerSecond,
    })
    .prefault({}),
  loopGuard: z
    .strictObject({
      moves: z.int().min(1).max(1000).default(10),
      withinMs: z.int().min(10).max(60_000).default(1000),
      holdMs: z.int().min(10).max(3_600_000).default(5000),
    })
    .prefault({}),
  local: z
    .union([localObject, z.boolean()])
    .meta({ description: 'true, or { iface, addresses, mac }' })
    .prefault(false),
  flows: z.array(z.unknown()).optional(),
  flowsFile: fileField.optional(),
  meters: z.array(meterSchema).default([]),
  program: z
    .union([z.strictObject({ file: fileField, data: z.unknown().optional() }), fileField])
    .meta({ description: 'the path of a TypeScript or JavaScript file, or { file, data }' })
    .optional(),
  mirrors: z.array(mirror).prefault([]),
})

export const adminSchema = z.strictObject({
  socket: z
    .string()
    .meta({ description: 'the absolute path of the socket', pattern: '^/.*[^/]$', maxLength: 107 })
    .optional(),
  mode: modeField.prefault('0600'),
})

export const loggingSchema = z.strictObject({
  level: z.enum(LOG_LEVELS).default('info'),
  format: z.enum(['text', 'json']).default('text'),
})

export const metricsSchema = z.strictObject({ listen: listenField.default('127.0.0.1:9475') })

/** Keys of the whole; `$schema` is for editors of JSON. */
export const TOP_KEYS = [
  '$schema',
  'datapath',
  'lcores',
  'bridges',
  'ports',
  'admin',
  'logging',
  'metrics',
] as const
