/** What people see: the command in a real pseudo-terminal. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { AdminServer } from '../../../src/switch/admin/admin-server.js'
import type { PortView } from '../../../src/switch/control.js'
import { socketFolder } from '../../support/loopback.js'
import { scriptedControl } from '../admin/scripted-control.js'
import { MAIN, vswitch } from './vswitch.js'

const LIMIT = { timeout: 120_000 }

const port = {
  id: 1,
  name: 'vhost0',
  bridge: 'br0',
  type: 'dpdkvhostuserclient',
  path: '/run/vm/vhost0.sock',
  role: 'client',
  state: 'ready',
  status: { state: 'ready', adminState: 'up', rxQueues: [0], txQueues: [0] },
  vlanMode: 'trunk',
  trunks: [],
  mtu: 1500,
} as unknown as PortView

/** What the command writes to a terminal of its own, made by script(1). */
async function inTerminal(line: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const { NO_COLOR: _, ...inherited } = process.env
  const command = `"${process.execPath}" "${MAIN}" ${line}`
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    env: { ...inherited, TERM: 'xterm', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 60_000,
    killSignal: 'SIGKILL',
  })
  let output = ''
  child.stdout.on('data', (data) => {
    output += data
  })
  const [code] = await once(child, 'close')
  assert.equal(code, 0, output)
  return output.replaceAll('\r\n', '\n')
}

test('tables have colours in a terminal, and the same letters as in a pipe', LIMIT, async () => {
  using folder = socketFolder()
  const socket = `${folder.path}/admin.sock`
  const { control } = scriptedControl({ ports: () => [port] })
  await using _server = await AdminServer.start(control, { socket, mode: 0o600 })
  const line = `ports --socket ${socket}`
  const shown = await inTerminal(line)
  const piped = (await vswitch(['ports'], { socket })).stdout
  assert.ok(shown.includes('\x1b[32mready\x1b[0m'), shown)
  assert.equal(stripVTControlCharacters(shown), piped)
  assert.equal(
    piped,
    `id  name    bridge  type                 state  vlan   rxq  txq   mtu  path
 1  vhost0  br0     dpdkvhostuserclient  ready  trunk  0    0    1500  /run/vm/vhost0.sock
`,
  )
  for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }]) {
    assert.equal(await inTerminal(line, env), piped)
  }
  // Machines read JSON, also from a terminal.
  const json = await inTerminal(`${line} --json`)
  assert.deepEqual(JSON.parse(json), [port])
})
