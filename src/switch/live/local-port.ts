import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { accessSync, constants, readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { promisify } from 'node:util'
import { DatapathError, validatePort } from 'dpdk-vhost'
import type { LocalPort, SwitchPortSpec } from '../spec.js'

const run = promisify(execFile)

/** Longest time for one `ip` command. */
const IP_TIMEOUT_MS = 5000

/** Most that DPDK's driver for TAPs, net_tap, lets be set (1522 bytes of frame). */
const MOST_MTU = 1500

/** MTU of the local ports of a datapath. */
export function localMtu(mtu: number): number {
  return Math.min(mtu, MOST_MTU)
}

/** The port that the TAP interface of a bridge is. It takes part as one without further settings does: in all VLANs. */
export function localPort(bridge: string, { iface, mac }: LocalPort, mtu: number): SwitchPortSpec {
  const address = mac ?? stableMac(iface)
  const devargs = `net_tap_${iface},iface=${iface},mac=${address}`
  return {
    port: validatePort({ type: 'dpdk', name: iface, devargs, mtu: localMtu(mtu) }, { mtu }),
    attachment: {
      bridge,
      vlanMode: 'trunk',
      tag: undefined,
      trunks: [],
      portSecurity: undefined,
      ingressPolicingRate: 0,
      ingressPolicingBurst: 0,
      ingressPolicingKpktsRate: 0,
      ingressPolicingKpktsBurst: 0,
      ingressPolicer: undefined,
      ingressPacketPolicer: undefined,
      egressPolicer: undefined,
      egressPacketPolicer: undefined,
    },
  }
}

/**
 * Gives the interface its addresses and sets it up. The kernel forgets all of it with the interface, which goes with the
 * port.
 *
 * @throws DatapathError `ERR_PORT_DEVICE` with the words of `ip`
 */
export async function configureInterface(
  { iface, addresses }: LocalPort,
  mtu: number,
): Promise<void> {
  await ip('link', 'set', 'dev', iface, 'mtu', String(localMtu(mtu)), 'up')
  for (const address of addresses) await ip('address', 'replace', address, 'dev', iface)
}

const TUN = '/dev/net/tun'
/** Bit of a set of capabilities (linux/capability.h). */
const CAP_NET_ADMIN = 12n

/** What the kernel says of a TAP that may not be made, DPDK hands on as "Invalid argument": adds what to do. */
export function withTapNeeds(error: unknown): unknown {
  if (!(error instanceof DatapathError)) return error
  const needs: string[] = []
  if (!mayAdministrate() || error.message.includes('Operation not permitted'))
    needs.push(
      'the capability CAP_NET_ADMIN, which this process does not have here: run it as root, or give it that',
    )
  if (!hasTun())
    needs.push(`${TUN}, which it cannot open: load the module tun, or give it that device`)
  if (needs.length === 0) return error
  const message = `${error.message}; a local port needs ${needs.join('; and ')}`
  return new DatapathError(error.code, message, { cause: error })
}

function mayAdministrate(): boolean {
  const [, set] = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
  return set === undefined || ((BigInt(`0x${set}`) >> CAP_NET_ADMIN) & 1n) === 1n
}

function hasTun(): boolean {
  try {
    accessSync(TUN, constants.R_OK | constants.W_OK)
    return true
  } catch {
    return false
  }
}

async function ip(...args: string[]): Promise<void> {
  try {
    await run('ip', args, { timeout: IP_TIMEOUT_MS })
  } catch (error) {
    const { code, stderr, message } = error as Error & { code?: unknown; stderr?: string }
    const why =
      code === 'ENOENT'
        ? "there is no command 'ip'; install iproute2"
        : (stderr?.trim() || message).replaceAll('\n', '; ')
    throw new DatapathError('ERR_PORT_DEVICE', `ip ${args.join(' ')}: ${why}`, { cause: error })
  }
}

/** The same after every start, so that neighbours need not learn it anew; another one on another machine. */
function stableMac(iface: string): string {
  const digest = createHash('sha256').update(`${hostname()}/${iface}`).digest()
  // Locally administered (IEEE 802, section 8.2).
  return ['02', ...digest.subarray(0, 5).toString('hex').match(/../g)!].join(':')
}
