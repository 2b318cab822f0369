import assert from 'node:assert/strict'
import fs, {
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { ConfigError, type Problem } from '../../src/config/config-error.js'
import type { PortOptions } from '../../src/config/port-options.js'
import { MAX_SOCKET_PATH } from '../../src/config/socket-path.js'
import {
  type PortSurroundings,
  validatePort,
  validateRxAffinity,
} from '../../src/config/validate-port.js'

const folder = mkdtempSync(join(tmpdir(), 'port-options-'))
const socket = join(folder, 'a.sock')
after(() => rmSync(folder, { recursive: true }))

/** The problems of options that may be anything. */
function problems(options: unknown, surroundings?: PortSurroundings): readonly Problem[] {
  try {
    validatePort(options as PortOptions, surroundings)
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    assert.equal(error.code, 'ERR_DPDK_VHOST_CONFIG')
    for (const { path, message, fix } of error.problems) {
      assert.ok(message !== '' && fix !== '')
      assert.ok(
        error.message.includes(path) &&
          error.message.includes(message) &&
          error.message.includes(fix),
      )
    }
    return error.problems
  }
  return []
}

function only(options: unknown, surroundings?: PortSurroundings): Problem {
  const found = problems(options, surroundings)
  assert.equal(found.length, 1, JSON.stringify(found))
  return found[0] as Problem
}

const client = { type: 'dpdkvhostuserclient', name: 'vhost0', path: socket }
const server = { type: 'dpdkvhostuser', name: 'vhost0', path: socket }
const nic = { type: 'dpdk', name: 'nic0', devargs: '0000:03:00.0' }

describe('valid ports', () => {
  test('get their defaults', () => {
    assert.deepEqual(validatePort(client as PortOptions), {
      ...client,
      queues: 16,
      adminState: 'up',
      rxAffinity: {},
      txRetriesMax: 8,
      vringStats: false,
      flapLimit: 10,
      reconnect: { firstDelayMs: 1, maxDelayMs: 1000, jitter: 0.2 },
    })
    assert.deepEqual(validatePort(server as PortOptions), {
      ...server,
      queues: 16,
      adminState: 'up',
      rxAffinity: {},
      txRetriesMax: 8,
      vringStats: false,
      flapLimit: 10,
      createFolder: false,
    })
    const queues = { rxQueues: 1, txQueues: 1, rxDescriptors: 1024, txDescriptors: 1024 }
    assert.deepEqual(validatePort(nic as PortOptions), {
      ...nic,
      ...queues,
      adminState: 'up',
      rxAffinity: {},
    })
  })

  test('keep what is given', () => {
    const given = {
      ...client,
      queues: 16,
      mtu: 9000,
      adminState: 'down',
      rxAffinity: { 0: 'lcore0', 15: 'lcore1' },
      txRetriesMax: 0,
      vringStats: false,
      flapLimit: 10,
      disableFeatures: ['VIRTIO_F_RING_PACKED'] as const,
      reconnect: { firstDelayMs: 10, maxDelayMs: 20, jitter: 0, giveUpMs: 1000 },
    }
    assert.deepEqual(validatePort(given as PortOptions, { mtu: 9000 }), given)
  })
})

describe('every problem is reported at once', () => {
  test('with its path, its value and the fix', () => {
    const found = problems({
      type: 'dpdkvhostuser',
      nmae: 'vhost0',
      path: 'a.sock',
      queues: '4',
      mtu: 1.5,
      disableFeatures: ['mrg_rxbuf', 'VIRTIO_F_RING_PACKD', 'nothing like it'],
      txRetriesMax: 33,
    })
    const at = (path: string) => found.find((problem) => problem.path === path) as Problem
    assert.equal(found.length, 9, JSON.stringify(found, null, 1))
    assert.equal(at('name').message, 'is missing')
    assert.equal(at('nmae').fix, 'did you mean name?')
    assert.equal(at('nmae').value, 'vhost0')
    assert.equal(at('queues').fix, 'write 4 without the quotes')
    assert.equal(at('mtu').fix, 'give a whole number from 68 to 9728')
    assert.equal(at('disableFeatures[0]').fix, 'did you mean VIRTIO_NET_F_MRG_RXBUF?')
    assert.equal(at('disableFeatures[1]').fix, 'did you mean VIRTIO_F_RING_PACKED?')
    assert.match(at('disableFeatures[2]').fix, /one of .*VIRTIO_NET_F_MRG_RXBUF/)
    assert.equal(at('txRetriesMax').value, 33)
    assert.match(at('path').message, /relative/)
  })

  test('even when the type is wrong', () => {
    const found = problems({ type: 'dpdkvhostusrclient', name: '', path: socket, queues: 17 })
    assert.deepEqual(
      found.map(({ path }) => path),
      ['type', 'name', 'queues'],
    )
    assert.match((found[0] as Problem).fix, /did you mean 'dpdkvhostuserclient'/)
  })

  test('whatever is given', () => {
    for (const value of [undefined, null, 3, 'x', [], () => 1, Symbol('s'), 1n])
      assert.ok(problems(value).length > 0)
  })
})

describe('types and roles', () => {
  test('the types are listed', () => {
    const { path, value, fix } = only({ type: 'tap', name: 'x' })
    assert.deepEqual([path, value], ['type', 'tap'])
    assert.match(fix, /dpdkvhostuserclient, dpdkvhostuser, dpdk/)
  })

  for (const type of ['vhostuser', 'vhost-user', 'client', 'server', 'vhostuserclient']) {
    test(`type ${type} leads to an explanation instead of a guess`, () => {
      assert.match(
        only({ ...client, type }).fix,
        /connects.*QEMU listens.*listens and QEMU connects/,
      )
    })
  }

  test("a mode is taken for QEMU's side", () => {
    assert.match(
      only({ ...client, mode: 'server' }).fix,
      /with mode 'server' the type is 'dpdkvhostuserclient'/,
    )
    assert.match(
      only({ ...server, vhostuser_mode: 'client' }).fix,
      /with mode 'client' the type is 'dpdkvhostuser'/,
    )
  })

  for (const key of ['role', 'client', 'server', 'isServer']) {
    test(`the key ${key} is explained`, () => {
      assert.match(only({ ...client, [key]: true }).fix, /leave it out: the type says who listens/)
    })
  }
})

describe('sockets', () => {
  const withPath = (path: unknown, options = client) => only({ ...options, path })

  test('a relative path', () => {
    const path = relative(process.cwd(), socket)
    assert.match(withPath(path).fix, new RegExp(`absolute.*${socket}`))
  })

  test('107 bytes fit and 108 do not, counted as UTF-8', () => {
    const room = MAX_SOCKET_PATH - Buffer.byteLength(`${folder}/`)
    assert.deepEqual(problems({ ...client, path: `${folder}/${'x'.repeat(room)}` }), [])
    assert.match(
      withPath(`${folder}/${'x'.repeat(room + 1)}`).message,
      /has 108 bytes.*at most 107.*cut off/,
    )
    assert.match(
      withPath(`${folder}/${'é'.repeat(Math.ceil((room + 1) / 2))}`).message,
      /at most 107/,
    )
  })

  test('NUL, empty, folders', () => {
    assert.match(withPath('\0abstract').message, /NUL/)
    assert.match(withPath(`${socket}\0`).message, /NUL/)
    assert.match(withPath('').message, /empty/)
    assert.match(withPath(folder).message, /folder/)
    assert.match(withPath(`${folder}/`).message, /folder/)
    assert.match(withPath(7).message, /number/)
  })

  test('a missing folder is named to a server; a client waits for it', () => {
    const path = join(folder, 'run', 'vhost', 'a.sock')
    const { message, fix } = withPath(path, server)
    assert.ok(message.includes(join(folder, 'run', 'vhost')))
    assert.ok(message.includes(`"${join(folder, 'run')}"`))
    assert.match(fix, /create the folder.*createFolder: true/)
    assert.deepEqual(problems({ ...server, path, createFolder: true }), [])
    assert.deepEqual(problems({ ...client, path }), [])
  })

  test('who may connect to a server', () => {
    const withMode = (mode: unknown) => only({ ...server, path: socket, mode })
    for (const mode of [0o660, '0660', '660', '0o660', 0]) {
      assert.deepEqual(problems({ ...server, path: socket, mode }), [], String(mode))
    }
    assert.match(withMode(660).fix, /write '0660', or 0o660/)
    assert.match(withMode('rw').fix, /three octal digits/)
    assert.match(withMode('client').fix, /the type says who listens/)
    for (const uid of ['libvirt-qemu', 'host$', 64055, '64055', 0]) {
      assert.deepEqual(problems({ ...server, path: socket, uid, gid: uid }), [], String(uid))
    }
    assert.match(only({ ...server, path: socket, uid: -1 }).message, /not an id/)
    assert.match(only({ ...server, path: socket, gid: 'a b' }).message, /not a name/)
  })

  test('how a client looks for its peer', () => {
    const withReconnect = (reconnect: object) => only({ ...client, path: socket, reconnect })
    assert.deepEqual(problems({ ...client, path: socket, reconnect: { giveUpMs: 1 } }), [])
    const { path, message } = withReconnect({ firstDelayMs: 20, maxDelayMs: 10 })
    assert.equal(path, 'reconnect.firstDelayMs')
    assert.match(message, /more than maxDelayMs \(10\)/)
    assert.match(withReconnect({ jitter: 2 }).fix, /a number from 0 to 1/)
    assert.match(withReconnect({ maxDelay: 1 }).fix, /maxDelayMs/)
  })

  test('features are pinned or disabled, not both', () => {
    const both = { features: ['VIRTIO_F_VERSION_1'], disableFeatures: ['VIRTIO_NET_F_MQ'] }
    const { path, fix } = only({ ...client, path: socket, ...both })
    assert.equal(path, 'disableFeatures')
    assert.match(fix, /leave it out/)
  })

  test('a file in the place of a folder or of the socket', () => {
    const file = join(folder, 'file')
    writeFileSync(file, '')
    assert.match(withPath(join(file, 'a.sock')).message, /not a folder/)
    assert.match(withPath(file).message, /not a socket/)
    assert.match(withPath(file, server).fix, /where nothing is/)
  })

  test('a socket that is there is no problem', async () => {
    const path = join(folder, 'there.sock')
    const listener = createServer().listen(path)
    await new Promise((resolve) => listener.once('listening', resolve))
    try {
      assert.deepEqual(problems({ ...client, path }), [])
      assert.deepEqual(problems({ ...server, path }), [])
    } finally {
      listener.close()
    }
  })
})

describe('beside other ports', () => {
  const link = join(folder, 'link')
  const ports = [{ name: 'other', path: socket }, { name: 'nic0' }]
  before(() => symlinkSync(folder, link))

  test('a name is used once', () => {
    assert.equal(only({ ...nic, name: 'nic0' }, { ports }).message, 'is the name of another port')
  })

  test('a socket is used once, however it is spelt', () => {
    mkdirSync(join(folder, 'sub'))
    for (const path of [
      socket,
      `${folder}//a.sock`,
      `${folder}/./a.sock`,
      `${folder}/sub/../a.sock`,
      `${link}/a.sock`,
    ]) {
      const { message } = only({ ...server, path }, { ports })
      assert.match(message, /is the socket of port "other"/)
      if (path !== socket) assert.ok(message.includes(`"${socket}"`))
    }
    assert.deepEqual(problems({ ...client, path: `${folder}/b.sock` }, { ports }), [])
  })

  test('a socket below a folder that is missing, too', () => {
    const path = `${folder}/missing/a.sock`
    const { message } = only(
      { ...client, path: `${link}/missing/a.sock` },
      { ports: [{ name: 'other', path }] },
    )
    assert.match(message, /is the socket of port "other"/)
  })

  test('what was found before of the socket of another is only a hint', () => {
    const beside = (path: string, found: string) => {
      return problems({ ...client, path: socket }, { ports: [{ name: 'b', path, socket: found }] })
    }
    // Its path led there, but no more.
    assert.deepEqual(beside(`${folder}/b.sock`, `${realpathSync.native(folder)}/a.sock`), [])
    assert.equal(beside(`${link}/a.sock`, `${realpathSync.native(folder)}/a.sock`).length, 1)
    // The same words mean the same socket, whatever was found.
    assert.equal(beside(socket, '/elsewhere').length, 1)
  })

  test('the file system is not asked for the sockets of all others', (t) => {
    const asked = t.mock.method(fs, 'realpathSync')
    syncBuiltinESMExports()
    t.after(() => {
      asked.mock.restore()
      syncBuiltinESMExports()
    })
    const many = Array.from({ length: 1000 }, (_, i) => {
      const path = `${folder}/${i}`
      return { name: `p${i}`, path, socket: path }
    })
    assert.deepEqual(problems({ ...client, path: `${folder}/new` }, { ports: many }), [])
    const calls = asked.mock.callCount()
    assert.ok(calls > 0 && calls < 10, `${calls} calls`)
  })

  test("no MTU is above the datapath's", () => {
    assert.deepEqual(problems({ ...nic, mtu: 1500 }, { mtu: 1500 }), [])
    assert.match(only({ ...nic, mtu: 1501 }, { mtu: 1500 }).fix, /at most 1500.*mtu: 1501/)
  })

  test('clashes come with the rest of the problems', () => {
    const found = problems({ ...nic, txQueues: 0, mtu: 2000 }, { ports, mtu: 1500 })
    assert.deepEqual(found.map(({ path }) => path).sort(), ['mtu', 'name', 'txQueues'])
  })
})

describe('names and descriptors', () => {
  test('names', () => {
    for (const name of ['a', 'vhu01234567-89', '0', '_x', 'nic0.100', 'x'.repeat(64)]) {
      assert.deepEqual(problems({ ...nic, name }), [])
    }
    for (const name of ['', ' ', 'a b', 'a/b', '-a', 'ü', 'a\n', 'x'.repeat(65), null, 5]) {
      assert.equal(only({ ...nic, name }).path, 'name')
    }
  })

  test('descriptors are a power of two', () => {
    assert.equal(only({ ...nic, rxDescriptors: 1000 }).fix, 'give 512 or 1024')
    assert.equal(only({ ...nic, rxDescriptors: 5 }).fix, 'give a whole number from 32 to 32768')
    assert.deepEqual(problems({ ...nic, txDescriptors: 4096 }), [])
  })

  test('devargs are not empty', () => {
    assert.match(only({ ...nic, devargs: '' }).fix, /PCI address/)
  })
})

describe('pinned rx queues', () => {
  const pin = (rxAffinity: unknown, more: object = {}) => ({ ...client, ...more, rxAffinity })

  test('keys are queues', () => {
    assert.deepEqual(only(pin({ first: 'lcore0' })), {
      path: 'rxAffinity.first',
      value: 'lcore0',
      message: 'is pinned by a key that is no rx queue',
      fix: 'name rx queues by number, 0 to 15',
    })
    assert.equal(problems(pin({ 16: 'a', '-1': 'b', '01': 'c' })).length, 3)
  })

  test('values are names of lcores', () => {
    assert.deepEqual(only(pin({ 1: 3 })), {
      path: 'rxAffinity.1',
      value: 3,
      message: 'is a number',
      fix: 'give a name',
    })
    assert.match(only(pin({ 1: '' })).message, /is empty/)
    assert.match(only(pin('0:3,1:7')).fix, /names of lcores by rx queue, such as \{ 0: "lcore0" \}/)
  })

  test('the port has to have the queue', () => {
    assert.deepEqual(only(pin({ 1: 'a', 2: 'b' }, { queues: 2 })), {
      path: 'rxAffinity.2',
      value: 'b',
      message: 'pins a queue that the port cannot have',
      fix: 'its rx queues are 0 to 1',
    })
    assert.equal(only({ ...nic, rxAffinity: { 1: 'a' } }).fix, 'its only rx queue is 0')
    assert.deepEqual(problems({ ...nic, rxQueues: 2, rxAffinity: { 1: 'a' } }), [])
  })

  test('and the same holds for a port that exists', () => {
    const spec = validatePort({ ...client, queues: 4 } as PortOptions)
    assert.deepEqual(validateRxAffinity({ 3: 'a' }, spec), { 3: 'a' })
    assert.throws(() => validateRxAffinity({ 4: 'a' }, spec), /port "vhost0": rxAffinity\.4 = "a"/)
    assert.throws(
      () => validateRxAffinity({ 0: 1 } as never, spec),
      /rxAffinity\.0 = 1 is a number/,
    )
  })
})
