/**
 * How a port takes part in its bridge: the keys of a port that are the switch's own.
 *
 * @packageDocumentation
 */
import { nameField, type Problem } from 'dpdk-vhost'
import * as z from 'zod'
import type { AllowedAddress, AttachmentSpec } from '../spec.js'
import {
  ipField,
  ipTrouble,
  macField,
  macTrouble,
  plainMac,
  vlanField,
  vlanListField,
} from './fields.js'

/** OVS's burst where none is given, in kilobits. */
const DEFAULT_POLICING_BURST = 8000

const MOST = 2 ** 32 - 1

const allowedAddress = z
  .union([
    z.strictObject({ mac: macField, ips: z.array(ipField).default([]) }),
    z
      .string()
      .superRefine((text, ctx) => {
        const [mac = '', ...ips] = wordsOf(text)
        const refuse = (word: string, trouble: { message: string; fix: string } | undefined) => {
          if (trouble === undefined) return
          const message = `has ${JSON.stringify(word)}, which ${trouble.message}`
          ctx.addIssue({ code: 'custom', message, params: { fix: trouble.fix } })
        }
        refuse(mac, macTrouble(mac))
        for (const ip of ips) refuse(ip, ipTrouble(ip, 'may'))
      })
      .transform((text): AllowedAddress => {
        const [mac = '', ...ips] = wordsOf(text)
        return { mac: plainMac(mac), ips }
      }),
  ])
  .meta({ description: "an address as 'MAC IP IP/LENGTH' or as { mac, ips }" })

function wordsOf(text: string): string[] {
  return text.trim().split(/[\s,]+/)
}

/** The keys, by themselves: {@link checkAttachment} knows which go together. */
export const attachmentShape = {
  bridge: nameField.optional(),
  vlanMode: z.enum(['access', 'trunk', 'native-tagged', 'native-untagged']).optional(),
  tag: vlanField.optional(),
  trunks: vlanListField.prefault([]),
  portSecurity: z.array(allowedAddress).optional(),
  ingressPolicingRate: z.int().min(0).max(MOST).default(0),
  ingressPolicingBurst: z.int().min(0).max(MOST).default(0),
  egressPolicer: z
    .strictObject({
      cir: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
      cbs: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
    })
    .optional(),
}

export const attachmentSchema = z.strictObject(attachmentShape)

/** Names of the keys. */
export const ATTACHMENT_KEYS: readonly string[] = Object.keys(attachmentShape)

/** The mode where none is given, as OVS has it. */
export function defaultVlanMode(tag: number | undefined): AttachmentSpec['vlanMode'] {
  return tag === undefined ? 'trunk' : 'access'
}

/** With defaults filled in. @param bridge - the one for ports that name none */
export function attachmentOf(
  given: z.output<typeof attachmentSchema>,
  bridge: string,
): AttachmentSpec {
  const { tag, trunks, portSecurity, egressPolicer } = given
  const rate = given.ingressPolicingRate
  const burst = given.ingressPolicingBurst
  const vlanMode = given.vlanMode ?? defaultVlanMode(tag)
  return {
    bridge: given.bridge ?? bridge,
    vlanMode,
    // OVS: the VLAN of an access or native port that gives none is 0.
    tag: vlanMode === 'trunk' ? tag : (tag ?? 0),
    trunks,
    portSecurity,
    ingressPolicingRate: rate,
    ingressPolicingBurst: rate > 0 && burst === 0 ? DEFAULT_POLICING_BURST : burst,
    egressPolicer,
  }
}

/** What can be, but is hardly meant. @param mtu - of the port, in bytes */
export function attachmentWarnings(
  given: z.output<typeof attachmentSchema>,
  mtu: number,
): Problem[] {
  const warnings: Problem[] = []
  const warn = (path: string, value: unknown, message: string, fix: string) =>
    warnings.push({ path, value, message, fix })
  const { tag, trunks, portSecurity, egressPolicer } = given
  const mode = given.vlanMode ?? defaultVlanMode(tag)
  if (mode === 'access' && trunks.length > 0) {
    const why =
      given.vlanMode === undefined
        ? 'a port with a tag is an access port'
        : 'access ports have one VLAN'
    const fix = 'leave it out, or give vlanMode: native-untagged'
    warn('trunks', trunks, `is not used: ${why}`, fix)
  }
  if (mode === 'trunk' && tag !== undefined)
    warn(
      'tag',
      tag,
      'is not used: a trunk has no VLAN of its own',
      'leave it out, or give vlanMode: native-untagged',
    )
  if (mode !== 'trunk' && tag === undefined)
    warn(
      'vlanMode',
      mode,
      'has no tag, and its VLAN is 0: that of frames without a tag',
      'give the tag',
    )
  if (portSecurity?.length === 0)
    warn(
      'portSecurity',
      [],
      'allows no address: everything from the port is dropped',
      'name addresses, or leave it out',
    )
  if (given.ingressPolicingBurst > 0 && given.ingressPolicingRate === 0)
    warn(
      'ingressPolicingBurst',
      given.ingressPolicingBurst,
      'is not used without a rate',
      'give ingressPolicingRate',
    )
  if (
    given.ingressPolicingBurst > 0 &&
    given.ingressPolicingBurst * 125 < mtu &&
    given.ingressPolicingRate > 0
  )
    warn(
      'ingressPolicingBurst',
      given.ingressPolicingBurst,
      `is less than a frame of ${mtu} bytes, which never passes`,
      `give at least ${Math.ceil(mtu / 125)}`,
    )
  if (egressPolicer !== undefined && egressPolicer.cbs < mtu)
    warn(
      'egressPolicer.cbs',
      egressPolicer.cbs,
      `is less than a frame of ${mtu} bytes, which never passes`,
      `give at least ${mtu}`,
    )
  return warnings
}
