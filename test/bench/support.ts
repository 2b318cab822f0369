/** What tests of the bench share. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Machine } from '../../bench/machine.js'
import type { Options } from '../../bench/options.js'
import type { Section } from '../../bench/section.js'
import { patient } from '../support/patience.js'

const MAIN = fileURLToPath(new URL('../../bench/main.js', import.meta.url))

/** Starts the bench. It is killed when it takes longer than a test may. */
export function startBench(
  args: readonly string[],
  { folder = tmpdir(), limitMs = 120_000 }: { folder?: string; limitMs?: number } = {},
) {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { ...process.env, TMPDIR: folder },
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), patient(limitMs))
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (data) => {
    stdout += data
  })
  child.stderr.on('data', (data) => {
    stderr += data
  })
  const ended = once(child, 'close').then(([code]) => {
    clearTimeout(timer)
    return { code: code as number | null, stdout, stderr }
  })
  return { child, ended, said: () => `${stdout}\n${stderr}` }
}

/** Options of a quick run of sections. */
export function quickOptions(sections: readonly Section[], more: Partial<Options> = {}): Options {
  return {
    sections,
    whole: false,
    effort: 'quick',
    smoke: false,
    only: undefined,
    own: {},
    patienceSeconds: 0,
    memory: 'memfd',
    cpus: undefined,
    json: undefined,
    html: undefined,
    compare: undefined,
    from: undefined,
    ...more,
  }
}

/** A machine as reports have it. */
export function machine(): Machine {
  return {
    cpu: 'Some CPU',
    cpus: 2,
    virtual: false,
    switchCpu: 0,
    generatorCpu: 1,
    siblings: [[0], [1]],
    numaNodes: [0, 0],
    smt: false,
    governor: undefined,
    mhz: [2600, 2600],
    boost: undefined,
    isolated: '',
    cpuQuota: undefined,
    clockSource: 'tsc',
    transparentHugepages: 'madvise',
    memoryGiB: 8,
    kernel: '6.1',
    kernelParameters: ['isolcpus=1'],
    distribution: 'Debian',
    memory: 'memfd',
    memoryMiB: 256,
    hugepages: [],
    versions: {
      package: '0.1.0',
      commit: 'abcdef0',
      node: 'v20.20.2',
      dpdk: 'DPDK 22.11.11',
      testpmd: 'DPDK 22.11.11',
      ovs: undefined,
    },
    nodeOptions: undefined,
    command: 'npm run bench',
    date: '2026-11-21T12:00:00.000Z',
  }
}

/** Elements that have no end. */
const VOID = /^(meta|!doctype|rect|line|circle|polyline|polygon|br|link)$/i

/** Checks that every element of a page is closed, in order. */
export function wellFormed(html: string): void {
  const open: string[] = []
  for (const [tag, end, name = '', self] of html.matchAll(/<(\/?)([!\w]+)[^>]*?(\/?)>/g)) {
    if (self === '/' || (end === '' && VOID.test(name))) continue
    if (end === '') open.push(name)
    else if (open.pop() !== name) throw new Error(`${tag} closes what is not open`)
  }
  if (open.length > 0) throw new Error(`not closed: ${open.join(', ')}`)
}
