import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Finding } from '../../../src/doctor/index.js'
import { GOOD, madeUpMachine } from '../../doctor/made-up-machine.js'

const MAIN = fileURLToPath(new URL('../../../src/switch/cli/main.js', import.meta.url))

function doctor(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'doctor', ...args], {
    encoding: 'utf8',
    timeout: 60_000,
    env: { ...process.env, VSWITCH_SOCKET: '/nonexistent/admin.sock', NO_COLOR: '1' },
  })
  return { status, stdout, stderr }
}

const config = (lcore: string) => `
datapath: { memory: hugepages, memoryMiB: 1024 }
lcores: [{ cpu: ${lcore} }]
bridges: [{ name: br0 }]
ports: [{ name: up, type: dpdk, devargs: '0000:03:00.0' }]
`

test('names what is bad with its fix, and ends with 1', () => {
  using machine = madeUpMachine(GOOD)
  const file = join(machine.path, 'a.yaml')
  writeFileSync(file, config('9'))
  const { status, stdout } = doctor(file, '--root', machine.path)
  assert.equal(status, 1)
  assert.match(
    stdout,
    /^error {4}lcores: lcore0 is to run on CPU 9; online are 0-7\n {9}.*\n {9}give lcore0 another cpu/,
  )
  assert.doesNotMatch(stdout, /^ok/m)
  assert.match(stdout, /1 error, .*\d+ ok\n$/)
})

test('ends with 0 where nothing is an error, and tells machines the same', () => {
  using machine = madeUpMachine(GOOD)
  const file = join(machine.path, 'a.yaml')
  writeFileSync(file, config('2'))
  const { status, stdout } = doctor(file, '--root', machine.path, '--all')
  assert.equal(status, 0, stdout)
  assert.match(stdout, new RegExp(`^ok {7}configuration: ${file}$`, 'm'))
  const answer = JSON.parse(doctor(file, '--root', machine.path, '--json').stdout) as {
    severity: string
    findings: Finding[]
  }
  // No QEMU is seen there.
  assert.equal(answer.severity, 'note', JSON.stringify(answer, null, 1))
  assert.ok(answer.findings.some(({ check }) => check === 'cpu isolation'))
})

test('a configuration with problems is one', () => {
  using machine = madeUpMachine(GOOD)
  const file = join(machine.path, 'a.yaml')
  writeFileSync(file, 'bridges: 5\n')
  const { status, stdout } = doctor(file, '--root', machine.path)
  assert.equal(status, 1)
  assert.match(stdout, /configuration: .*a\.yaml:1:\d+: bridges = 5 .*\n.*\n {9}vswitch check /)
})

test('without a configuration and a switch it says so', () => {
  using machine = madeUpMachine(GOOD)
  const { status, stdout } = doctor('--root', machine.path)
  assert.equal(status, 0)
  assert.match(stdout, /note {5}configuration: none was named, no switch runs/)
})
