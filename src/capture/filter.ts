import { ConfigError } from '../config/index.js'
import { DatapathError, native } from '../errors.js'
import { binding } from '../native/binding.js'
import { compileBpf } from './bpf.js'

/** libpcap takes its time, and must not take all threads of Node.js' pool. */
let last: Promise<unknown> = Promise.resolve()

/**
 * Compiles a filter in the syntax of pcap-filter(7) by the system's libpcap.
 *
 * @returns the instructions of classic BPF for `compileBpf`; undefined for an empty filter, which wants every frame
 * @throws ConfigError with libpcap's words; DatapathError `ERR_NO_LIBPCAP` where there is none
 */
export async function compileFilter(filter: string): Promise<Uint32Array | undefined> {
  if (filter.trim() === '') return undefined
  const compiled = last.then(() => native(binding.compileFilter(filter)))
  last = compiled.catch(() => {})
  try {
    const program = await compiled
    // What lcores would refuse is refused here.
    compileBpf(program)
    return program
  } catch (error) {
    if (!(error instanceof DatapathError) || error.code !== 'ERR_FILTER') throw error
    const message = `is no filter: ${error.message}`
    const fix = 'see pcap-filter(7)'
    throw new ConfigError('capture', [{ path: 'filter', value: filter, message, fix }])
  }
}
