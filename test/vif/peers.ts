/** Nova, Neutron, os-vif and libvirt, as `npm run setup -- --vif` unpacks them: the layout is a contract with scripts/lib/vif.mjs. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cacheFolder } from '../../src/testkit/vm/kernel-image.js'

export const PEERS = join(cacheFolder(), 'vif')

const OPENSTACK = fileURLToPath(new URL('../../../test/vif/openstack.py', import.meta.url))

/** Why tests with them are skipped; false if they are not. */
export const noPeers =
  existsSync('/usr/bin/python3') && existsSync(join(PEERS, 'usr/bin/virsh'))
    ? false
    : 'no Nova, os-vif and libvirt: npm run setup -- --vif'

/** What Nova's or os-vif's own code makes of `input`; see openstack.py. */
export function openstack(args: readonly string[], input: unknown): string {
  const [command = '', ...rest] = args
  return run(
    '/usr/bin/python3',
    ['-I', '-B', OPENSTACK, command, PEERS, ...rest],
    JSON.stringify(input),
  )
}

/** Runs an unpacked program to its end. */
export function libvirt(program: 'virsh' | 'xmllint', args: readonly string[], input = ''): string {
  const libraries = join(PEERS, 'usr/lib')
  const folders = readdirSync(libraries).filter((name) => name.endsWith('-linux-gnu'))
  const path = folders.map((name) => join(libraries, name)).join(':')
  return run(join(PEERS, 'usr/bin', program), args, input, { LD_LIBRARY_PATH: path })
}

/** @throws Error with what a program wrote, when it failed */
export function run(
  program: string,
  args: readonly string[],
  input = '',
  env: NodeJS.ProcessEnv = {},
): string {
  const { status, stdout, stderr } = spawnSync(program, args, {
    input,
    encoding: 'utf8',
    env: { ...process.env, ...env },
    timeout: 60_000,
    killSignal: 'SIGKILL',
  })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${status}\n${stderr}\n${stdout}`)
  return stdout
}
