import * as z from 'zod'
import { mtuField } from './fields.js'
import { validate } from './validate.js'

/** Schema of {@link DatapathOptions}. */
export const datapathOptions = z.strictObject({
  memory: z.enum(['auto', 'hugepages', 'memfd']).default('auto'),
  memoryMiB: z.int().min(64).max(65536).default(256),
  mtu: mtuField.default(1500),
  ealArgs: z.array(z.string()).default([]),
  peerTimeoutMs: z.int().min(0).max(60_000).default(1000),
})

/** How to start DPDK. */
export interface DatapathOptions {
  /** Where DPDK's memory comes from; `auto` takes hugepages when enough of them are free. Default `auto`. */
  memory?: 'auto' | 'hugepages' | 'memfd' | undefined
  /** Memory for DPDK in MiB, 64 to 65536. Default 256. */
  memoryMiB?: number | undefined
  /** Largest MTU of any port, 68 to 9728; sets the size of a frame's buffer. Default 1500. */
  mtu?: number | undefined
  /** Further arguments for EAL, as they are. Default none. */
  ealArgs?: readonly string[] | undefined
  /**
   * Milliseconds after which a vhost-user peer is cut off that began a message and does not end it, or does not read what
   * it is answered: librte_vhost serves all peers from one thread, which waits for it. 0 to 60000; 0: never, and it is
   * told of only (event `stall`). Default 1000.
   */
  peerTimeoutMs?: number | undefined
}

/** {@link DatapathOptions} with defaults filled in. */
export type DatapathSpec = z.output<typeof datapathOptions>

/** @throws {@link ConfigError} naming every problem */
export function validateDatapathOptions(options: DatapathOptions = {}): DatapathSpec {
  return validate(datapathOptions, options, 'datapath options')
}
