/**
 * How a port takes part in its bridge: the keys of a port that are the switch's own.
 *
 * @packageDocumentation
 */
import { nameField, type Problem } from 'dpdk-vhost'
import { policerTrouble } from 'dpdk-vhost/qos'
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

/** OVS's bursts where none is given, in kilobits and in thousands of frames. */
const DEFAULT_POLICING_BURST = 8000
const DEFAULT_POLICING_KPKTS_BURST = 16

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

const units = z.int().min(1).max(Number.MAX_SAFE_INTEGER)

/** A policer: of bytes or of frames, by where it stands. */
const policer = z
  .strictObject({
    cir: units,
    cbs: units,
    ebs: units.optional(),
    eir: units.optional(),
    pir: units.optional(),
    pbs: units.optional(),
  })
  .superRefine((options, ctx) => {
    const trouble = policerTrouble(options)
    if (trouble === undefined) return
    const { key, message, fix } = trouble
    ctx.addIssue({ code: 'custom', path: [key], message, params: { fix }, input: options[key] })
  })

const policingRate = z.int().min(0).max(MOST).default(0)

/** The keys, by themselves: {@link checkAttachment} knows which go together. */
export const attachmentShape = {
  bridge: nameField.optional(),
  vlanMode: z.enum(['access', 'trunk', 'native-tagged', 'native-untagged']).optional(),
  tag: vlanField.optional(),
  trunks: vlanListField.prefault([]),
  portSecurity: z.array(allowedAddress).optional(),
  ingressPolicingRate: policingRate,
  ingressPolicingBurst: policingRate,
  ingressPolicingKpktsRate: policingRate,
  ingressPolicingKpktsBurst: policingRate,
  ingressPolicer: policer.optional(),
  ingressPacketPolicer: policer.optional(),
  egressPolicer: policer.optional(),
  egressPacketPolicer: policer.optional(),
}

export const attachmentSchema = z.strictObject(attachmentShape).superRefine((given, ctx) => {
  for (const [key, other] of [
    ['ingressPolicer', 'ingressPolicingRate'],
    ['ingressPacketPolicer', 'ingressPolicingKpktsRate'],
  ] as const) {
    if (given[key] === undefined || given[other] === 0) continue
    const message = `cannot be given beside ${other}`
    const params = { fix: 'give one of them' }
    ctx.addIssue({ code: 'custom', path: [key], message, params, input: given[key] })
  }
})

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
  const { tag, trunks, portSecurity } = given
  const vlanMode = given.vlanMode ?? defaultVlanMode(tag)
  return {
    bridge: given.bridge ?? bridge,
    vlanMode,
    // OVS: the VLAN of an access or native port that gives none is 0.
    tag: vlanMode === 'trunk' ? tag : (tag ?? 0),
    trunks,
    portSecurity,
    ingressPolicingRate: given.ingressPolicingRate,
    ingressPolicingBurst: burstOf(
      given.ingressPolicingRate,
      given.ingressPolicingBurst,
      DEFAULT_POLICING_BURST,
    ),
    ingressPolicingKpktsRate: given.ingressPolicingKpktsRate,
    ingressPolicingKpktsBurst: burstOf(
      given.ingressPolicingKpktsRate,
      given.ingressPolicingKpktsBurst,
      DEFAULT_POLICING_KPKTS_BURST,
    ),
    ingressPolicer: given.ingressPolicer,
    ingressPacketPolicer: given.ingressPacketPolicer,
    egressPolicer: given.egressPolicer,
    egressPacketPolicer: given.egressPacketPolicer,
  }
}

function burstOf(rate: number, burst: number, orElse: number): number {
  return rate > 0 && burst === 0 ? orElse : burst
}

/** What can be, but is hardly meant. @param mtu - of the port, in bytes */
export function attachmentWarnings(
  given: z.output<typeof attachmentSchema>,
  mtu: number,
): Problem[] {
  const warnings: Problem[] = []
  const warn = (path: string, value: unknown, message: string, fix: string) =>
    warnings.push({ path, value, message, fix })
  const { tag, trunks, portSecurity } = given
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
  for (const key of ['ingressPolicing', 'ingressPolicingKpkts'] as const) {
    const burst = given[`${key}Burst`]
    if (burst > 0 && given[`${key}Rate`] === 0)
      warn(`${key}Burst`, burst, 'is not used without a rate', `give ${key}Rate`)
  }
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
  for (const key of ['ingressPolicer', 'egressPolicer'] as const) {
    for (const size of ['cbs', 'pbs'] as const) {
      const burst = given[key]?.[size] ?? mtu
      // What is too long for one bucket may fit the other.
      if (burst >= mtu || (size === 'cbs' && (given[key]?.ebs ?? given[key]?.pbs) !== undefined))
        continue
      warn(
        `${key}.${size}`,
        burst,
        `is less than a frame of ${mtu} bytes, which never passes`,
        `give at least ${mtu}`,
      )
    }
  }
  return warnings
}
