import { isIP } from 'node:net'
import { nameField, portOptions } from 'dpdk-vhost'
import { isMulticastMac, parseMac } from 'dpdk-vhost/headers'
import * as z from 'zod'

/** Says what is wrong with a value, and what to do about it. */
type Refuse = (message: string, fix: string) => void

function refuseWith(ctx: z.core.$RefinementCtx): Refuse {
  return (message, fix) => ctx.addIssue({ code: 'custom', message, params: { fix } })
}

const MAC = '^[0-9A-Fa-f]{2}([:-])[0-9A-Fa-f]{2}(\\1[0-9A-Fa-f]{2}){4}$'

/** What keeps a text from being the address of one network card. */
export function macTrouble(text: string): { message: string; fix: string } | undefined {
  let mac: number
  try {
    mac = parseMac(text)
  } catch {
    return { message: 'is not a MAC address', fix: 'give one like fa:16:3e:00:00:01' }
  }
  if (mac === 0 || isMulticastMac(mac))
    return {
      message: mac === 0 ? 'is the zero address' : 'is the address of a group',
      fix: 'give the address of one network card',
    }
  return undefined
}

/** The one spelling of a MAC address: lower case, between colons. */
export function plainMac(mac: string): string {
  return mac.toLowerCase().replaceAll('-', ':')
}

/** Address of one network card. */
export const macField = z
  .string()
  .meta({ description: 'a MAC address, such as fa:16:3e:00:00:01', pattern: MAC })
  .superRefine((text, ctx) => {
    const trouble = macTrouble(text)
    if (trouble !== undefined) refuseWith(ctx)(trouble.message, trouble.fix)
  })
  .transform(plainMac)

/** What keeps a text from being an address or a prefix. */
export function ipTrouble(
  text: string,
  length: 'may' | 'must',
): { message: string; fix: string } | undefined {
  const [address = '', bits, ...more] = text.split('/')
  const version = isIP(address)
  const example = length === 'must' ? '192.0.2.1/24' : '192.0.2.1 or 192.0.2.0/24'
  if (version === 0 || address.includes('%') || more.length > 0)
    return { message: 'is not an IP address', fix: `give one like ${example}` }
  const most = version === 4 ? 32 : 128
  if (bits === undefined) {
    if (length === 'may') return undefined
    return { message: 'has no prefix length', fix: `give one, such as ${address}/${most - 8}` }
  }
  if (/^(0|[1-9]\d*)$/.test(bits) && Number(bits) <= most) return undefined
  return { message: `has the prefix length ${bits}`, fix: `give one from 0 to ${most}` }
}

/** An IP address or prefix. */
export const ipField = z
  .string()
  .meta({ description: 'an IP address or prefix, such as 192.0.2.1 or 2001:db8::/64' })
  .superRefine((text, ctx) => {
    const trouble = ipTrouble(text, 'may')
    if (trouble !== undefined) refuseWith(ctx)(trouble.message, trouble.fix)
  })

/** An address of an interface, with the length of its prefix. */
export const interfaceAddressField = z
  .string()
  .meta({ description: 'an address with its prefix length, such as 192.0.2.1/24', pattern: '/' })
  .superRefine((text, ctx) => {
    const trouble = ipTrouble(text, 'must')
    if (trouble !== undefined) refuseWith(ctx)(trouble.message, trouble.fix)
  })

/** A VLAN; 0 is what has no tag. */
export const vlanField = z.int().min(0).max(4095).meta({ description: 'a VLAN from 0 to 4095' })

const RANGE = /^(\d{1,4})(?:-(\d{1,4}))?$/

const vlanRange = z
  .string()
  .meta({ pattern: '^[0-9]{1,4}(-[0-9]{1,4})?$' })
  .superRefine((text, ctx) => {
    const [, from, to = from] = RANGE.exec(text) ?? []
    if (from === undefined || Number(from) > 4095 || Number(to) > 4095)
      refuseWith(ctx)('is not a range of VLANs', "write it as '20-29', from 0 to 4095")
    else if (Number(from) > Number(to))
      refuseWith(ctx)('ends before it begins', `write '${Number(to)}-${Number(from)}'`)
  })

/** VLANs, and ranges of them as text: `[10, '20-29']`. */
export const vlanListField = z
  .array(
    z
      .union([z.int().min(0).max(4095), vlanRange])
      .meta({ description: "a VLAN from 0 to 4095, or a range such as '20-29'" }),
  )
  .transform((items) => [...new Set(items.flatMap(vlansOf))].sort((a, b) => a - b))

function vlansOf(item: number | string): number[] {
  if (typeof item === 'number') return [item]
  const [, from, to = from] = RANGE.exec(item) ?? []
  return Array.from({ length: Number(to) - Number(from) + 1 }, (_, i) => Number(from) + i)
}

/** Name of a Linux interface that is also the name of a port. */
export const interfaceField = nameField
  .meta({ maxLength: 15, pattern: '^[A-Za-z0-9_][A-Za-z0-9_.:@+-]*$' })
  .superRefine((name, ctx) => {
    if (Buffer.byteLength(name) <= 15) return
    refuseWith(ctx)('is too long for an interface of Linux', 'give a name of at most 15 bytes')
  })

const LISTEN = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/

/** `address:port` to listen on. */
export const listenField = z
  .string()
  .meta({
    description: 'an address and a port, such as 127.0.0.1:9475',
    pattern: '^(\\[.*\\]|[^:\\[\\]]+):[0-9]{1,5}$',
  })
  .superRefine((text, ctx) => {
    const refuse = refuseWith(ctx)
    const [, ipv6, host, port] = LISTEN.exec(text) ?? []
    if (port === undefined)
      refuse('is not an address and a port', 'give 127.0.0.1:9475, or [::1]:9475')
    else if (Number(port) > 65535) refuse(`has the port ${port}`, 'give one from 0 to 65535')
    else if (ipv6 === undefined ? host === '' : isIP(ipv6) !== 6)
      refuse('has no address', `give 127.0.0.1:${port}, or 0.0.0.0:${port} for all`)
  })

/** Path of a file, absolute or from the folder of the configuration. */
export const fileField = z.string().min(1).meta({ description: 'the path of a file' })

/** Shape of the ports of the API, by their type. */
export const apiPorts = portOptions.options
