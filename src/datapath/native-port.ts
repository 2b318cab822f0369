import {
  ConfigError,
  type EgressShaperSpec,
  featureMask,
  featureNames,
  type PortSpec,
  shaperBurst,
} from '../config/index.js'
import { DatapathError, native } from '../errors.js'
import { binding, type NativePortOptions, type NativeShaperOptions } from '../native/binding.js'

/**
 * Adds a port in the addon.
 *
 * @returns its id
 */
export async function addNativePort(spec: PortSpec, mtu: number): Promise<number> {
  if (spec.type === 'dpdkvhostuser') warnOfServerPort()
  try {
    return await native(binding.addPort(toNative(spec, mtu)))
  } catch (error) {
    if (!(error instanceof DatapathError && error.code === 'ERR_PORT_FEATURES')) throw error
    // The addon knows bits, not names.
    const missing = featureNames(BigInt(error.message))
    const value = spec.type === 'dpdk' ? undefined : spec.features
    throw new ConfigError(`port ${spec.name}`, [
      {
        path: 'features',
        value,
        message: `has ${missing.join(', ')}, which this DPDK or datapath cannot offer`,
        fix: 'remove them; a guest that negotiated them has to be restarted',
      },
    ])
  }
}

let warned = false

function warnOfServerPort(): void {
  if (warned) return
  warned = true
  process.emitWarning(
    'guests on dpdkvhostuser ports are cut off when the switch restarts, unless their side connects again by itself: ' +
      'use dpdkvhostuserclient, where QEMU listens (server=on) and the switch connects again',
    { type: 'DpdkVhostWarning', code: 'DPDK_VHOST_SERVER_PORT' },
  )
}

function toNative(spec: PortSpec, mtu: number): NativePortOptions {
  const { name, type, adminState, egressShaper } = spec
  const shaper = egressShaper && toNativeShaper(egressShaper)
  const common = { name, mtu: spec.mtu ?? mtu, adminState, shaper }
  if (spec.type === 'dpdk') {
    const { devargs, rxQueues, txQueues, rxDescriptors, txDescriptors } = spec
    return {
      ...common,
      type,
      txRetriesMax: 8,
      devargs,
      rxQueues,
      txQueues,
      rxDescriptors,
      txDescriptors,
    }
  }
  const {
    path,
    queues,
    txRetriesMax,
    vringStats,
    flapLimit,
    disableFeatures = [],
    features = [],
  } = spec
  const socket = { ...common, type, txRetriesMax, vringStats, flapLimit, path, queues }
  const masks = {
    disabledFeatures: featureMask(disableFeatures),
    pinnedFeatures: featureMask(features),
  }
  if (spec.type === 'dpdkvhostuserclient') {
    const { giveUpMs = 0, ...delays } = spec.reconnect
    return { ...socket, ...masks, reconnect: { ...delays, giveUpMs } }
  }
  const { createFolder, mode, uid = '', gid = '' } = spec
  const access = { createFolder, mode, uid: String(uid), gid: String(gid) }
  return { ...socket, ...masks, access }
}

/** A shaper as the addon takes it. */
export function toNativeShaper(spec: EgressShaperSpec): NativeShaperOptions {
  return {
    rate: spec.rate / 8,
    burst: shaperBurst(spec),
    maxFrames: spec.queueLength,
    maxBytes: spec.queueBytes ?? Number.MAX_SAFE_INTEGER,
  }
}
