/** Files that cannot be read, and files of flows. */
import assert from 'node:assert/strict'
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { ConfigError } from 'dpdk-vhost'
import {
  ConfigFileError,
  checkConfigFile,
  defaultAdminSocket,
  readConfig,
} from '../../../src/switch/config/index.js'
import { vswitch } from '../cli/vswitch.js'
import { Folder } from './folder.js'

const NOBODY = 65534

const PORT = 'ports: [{ name: a, type: dpdk, devargs: net_null0 }]\n'

suite('a file that cannot be read', () => {
  const refused = async (path: string, message: RegExp) => {
    await assert.rejects(readConfig(path), (error) => {
      assert.ok(error instanceof ConfigFileError && error instanceof ConfigError)
      assert.match(error.message, message)
      assert.ok(error.message.startsWith(`${path}: `), error.message)
      assert.equal(error.problems.length, 1)
      return true
    })
  }

  test('is not there, is a folder, is no text, is too long', async () => {
    using folder = new Folder()
    folder.write('vswitch.yaml', PORT)
    await refused(join(folder.path, 'vswich.yaml'), /does not exist; did you mean vswitch\.yaml\?/)
    await refused(join(folder.path, 'vswitch.yaml/x'), /does not exist/)
    await refused(folder.path, /is a folder; give the path of a file/)
    await refused(folder.write('elf', Buffer.from('\x7fELF\0\x01')), /is not text/)
    await refused(folder.write('latin1', Buffer.from([0x61, 0xe4])), /is not text in UTF-8/)
    await refused(folder.write('wide', Buffer.from('\ufeffa: 1', 'utf16le')), /is text in UTF-16/)
    await refused(folder.write('long', Buffer.alloc(17 << 20, '# \n')), /has more than 16 MiB/)
    await refused('/dev/zero', /has more than 16 MiB/)
  })

  test('may not be read', async () => {
    using folder = new Folder()
    const path = folder.write('vswitch.yaml', PORT)
    chmodSync(folder.path, 0o755)
    chmodSync(path, 0)
    // Root may read all: then by a process of nobody's.
    const isRoot = process.getuid?.() === 0
    const { code, stderr } = await vswitch(['check', path], isRoot ? { uid: NOBODY } : {})
    const user = isRoot ? NOBODY : process.getuid?.()
    const said = `${path}: may not be read by this process; give user ${user} permission to read it`
    assert.deepEqual([code, stderr], [1, `${said}\n${path}: 1 problem\n`])
  })
})

test('the message of the error is the whole report', async () => {
  using folder = new Folder()
  const path = folder.write('vswitch.yaml', `${PORT}datapath:\n  mtu: 5\nlogs: {}\n`)
  await assert.rejects(readConfig(path), {
    message: [
      `${path}:3:3: datapath.mtu = 5 is less than 68; give a whole number from 68 to 9728`,
      `${path}:4:1: logs = {} is not an option; did you mean logging?`,
    ].join('\n'),
  })
})

test('a byte order mark is no part of the text', async () => {
  using folder = new Folder()
  const spec = await readConfig(folder.write('vswitch.yaml', `\ufeff${PORT}`))
  assert.equal(spec.ports.length, 1)
})

suite('a file of flows', () => {
  const config = (file: string) => `${PORT}bridges: [{ name: br0, flowsFile: ${file} }]\n`

  test('is found from the folder of the configuration', async () => {
    using folder = new Folder()
    folder.write('rules/a.flows', '# all\n  in_port=a,actions=drop # none\n\nactions=normal\n')
    const path = folder.write('vswitch.yaml', config('rules/a.flows'))
    assert.deepEqual(checkConfigFile(path).files, [path, join(folder.path, 'rules/a.flows')])
    const spec = await readConfig(path)
    assert.deepEqual(spec.bridges[0]?.flows, ['in_port=a,actions=drop', 'actions=normal'])
  })

  test('is checked line by line', () => {
    using folder = new Folder()
    const flows = folder.write('a.flows', 'actions=normal\n  ipp,actions=drop\n\nmeter:1\n')
    const { problems } = checkConfigFile(folder.write('vswitch.yaml', config(flows)))
    assert.deepEqual(
      problems.map(({ file, line, column, message }) => ({ file, line, column, message })),
      [
        { file: flows, line: 2, column: 3, message: 'has ipp, which is no field here' },
        { file: flows, line: 4, column: 1, message: 'has no actions' },
      ],
    )
  })

  test('that is not there is a problem of the key', () => {
    using folder = new Folder()
    const path = folder.write('vswitch.yaml', config('a.flows'))
    const [problem, ...more] = checkConfigFile(path).problems
    assert.deepEqual([problem?.path, problem?.line, more], ['bridges[0].flowsFile', 2, []])
    assert.equal(problem?.message, 'does not exist')
  })
})

test('the admin socket is of root, or of the user', () => {
  assert.equal(defaultAdminSocket(0, '/run/user/7'), '/run/vswitch/admin.sock')
  assert.equal(defaultAdminSocket(7, '/run/user/7'), '/run/user/7/vswitch/admin.sock')
  assert.equal(defaultAdminSocket(7, ''), '/run/user/7/vswitch/admin.sock')
})
