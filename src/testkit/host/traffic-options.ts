import * as z from 'zod'
import { validate } from '../../config/validate.js'
import { BROADCAST_MAC, parseMac } from '../../headers/mac.js'
import { ETHERNET_BYTES, MIN_FRAME } from '../traffic/numbered-frame.js'
import type { PingOrder } from '../traffic/pinger.js'
import type { SendOrder } from '../traffic/sender.js'
import { ipField, macField, type TestHostSpec } from './options.js'

/** Somebody to send to: a host, or a MAC address. */
export type Destination = string | { readonly mac: string }

/** Simple IMIX: 7 small, 4 medium, 1 large frame (64, 594 and 1518 bytes with FCS; the small ones are the least there is here). */
export const IMIX: readonly number[] = [64, 590, 64, 64, 590, 64, 1514, 64, 590, 64, 590, 64]

/** What to send. */
export interface SendOptions {
  /** One or more receivers, in turn. `broadcast` is everybody. */
  to: Destination | readonly Destination[]
  /** Frames in all. */
  frames?: number | undefined
  /** Time in all. Default, with `frames` not given either: until stopped. */
  seconds?: number | undefined
  /** Frames a second, or as many as the ring takes. Default `max`. */
  rate?: number | 'max' | undefined
  /**
   * Most frames under way: what is sent beyond them waits until as many came back from a host that has
   * {@link TestHost.echo} on. What is not back after a second is given up. Default: no such limit.
   */
  window?: number | undefined
  /** Bytes of every frame without FCS, 64 to MTU + 14; or the sizes in turn; or the simple IMIX. Default 64. */
  size?: number | readonly number[] | 'imix' | undefined
  /** UDP flows to each receiver, in turn. Default 1. */
  flows?: number | undefined
  /** Tx queue of the host. Default 0. */
  queue?: number | undefined
  /** IPv4 source address. Default: the host's own, or 198.18.0.1. */
  sourceIp?: string | undefined
  /** IPv4 destination address. Default 198.18.0.2 (RFC 2544's range). */
  destinationIp?: string | undefined
}

/** How to ping. */
export interface PingOptions {
  /** Default 1. */
  count?: number | undefined
  /** From one ping to the next; the answer is waited for too. Default 100. */
  intervalMs?: number | undefined
  /** How long an answer, and the receiver's MAC address, may take. Default 1000. */
  timeoutMs?: number | undefined
  /** Bytes of payload. Default 56. */
  size?: number | undefined
}

const ipv4Field = ipField.refine((text) => !text.includes(':'), {
  error: 'is no IPv4 address',
  params: { fix: 'numbered frames go over IPv4: give an address such as 198.18.0.2' },
})

const destinationField = z
  .union([z.literal('broadcast'), macField, z.looseObject({ mac: macField })])
  .describe("a host, a MAC address, or 'broadcast'")
  .transform((to) =>
    to === 'broadcast' ? BROADCAST_MAC : parseMac(typeof to === 'string' ? to : to.mac),
  )

function sendSchema({ mtu, queues }: TestHostSpec) {
  const sizeField = z
    .int()
    .min(MIN_FRAME)
    .max(mtu + ETHERNET_BYTES)
  return z
    .strictObject({
      to: z.union([destinationField, z.array(destinationField).min(1)]),
      frames: z.int().min(1).optional(),
      seconds: z.number().min(0).optional(),
      rate: z.union([z.number().min(0.1), z.literal('max')]).default('max'),
      window: z.int().min(1).max(1_000_000).optional(),
      size: z.union([sizeField, z.array(sizeField).min(1), z.literal('imix')]).default(MIN_FRAME),
      flows: z.int().min(1).max(50_000).default(1),
      queue: z
        .int()
        .min(0)
        .max(queues - 1)
        .default(0),
      sourceIp: ipv4Field.optional(),
      destinationIp: ipv4Field.default('198.18.0.2'),
    })
    .superRefine(({ to, flows, size, window, queue }, ctx) => {
      if (window !== undefined && queue > 0) {
        const fix = 'leave out window, or send by queue 0, where frames come back'
        const issue = { message: 'cannot be limited by a window', params: { fix } }
        ctx.addIssue({ code: 'custom', path: ['queue'], input: queue, ...issue })
      }
      const receivers = Array.isArray(to) ? to.length : 1
      if (receivers * flows > 65_536) {
        const fix = `give at most ${Math.floor(65_536 / receivers)} for ${receivers} receivers`
        const issue = { message: 'are too many flows in all', params: { fix } }
        ctx.addIssue({ code: 'custom', path: ['flows'], input: flows, ...issue })
      }
      if (size === 'imix' && mtu < 1500) {
        const fix = `start the host with mtu: 1500, or give sizes up to ${mtu + ETHERNET_BYTES}`
        const issue = { message: 'has frames longer than the MTU allows', params: { fix } }
        ctx.addIssue({ code: 'custom', path: ['size'], input: size, ...issue })
      }
    })
}

/** @throws {@link ConfigError} naming every problem */
export function toSendOrder(
  options: SendOptions,
  host: TestHostSpec,
  stream: number,
): { order: SendOrder; queue: number } {
  const given = validate(sendSchema(host), options, `sending of ${host.name}`)
  const { to, queue, size, sourceIp, ...rest } = given
  return {
    queue,
    order: {
      ...rest,
      stream,
      source: parseMac(host.mac),
      sourceIp: sourceIp ?? host.ip.find((address) => !address.includes(':')) ?? '198.18.0.1',
      destinations: Array.isArray(to) ? to : [to],
      sizes: size === 'imix' ? [...IMIX] : Array.isArray(size) ? size : [size],
    },
  }
}

function pingSchema({ mtu }: TestHostSpec) {
  return z.strictObject({
    address: ipField,
    count: z.int().min(1).max(65_535).default(1),
    intervalMs: z.number().min(0).default(100),
    timeoutMs: z.number().min(1).default(1000),
    // IP and ICMP headers go off.
    size: z
      .int()
      .min(0)
      .max(mtu - 28)
      .default(56),
  })
}

/** @throws {@link ConfigError} naming every problem */
export function toPingOrder(address: string, options: PingOptions, host: TestHostSpec): PingOrder {
  const order = validate(pingSchema(host), { ...options, address }, `ping of ${host.name}`)
  const v6 = order.address.includes(':')
  const source = host.ip.find((own) => own.includes(':') === v6)
  return { ...order, source: source ?? (v6 ? '::' : '0.0.0.0') }
}
