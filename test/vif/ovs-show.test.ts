import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseVifs } from '../../src/vif/index.js'

const SHOW = `6b1e2c6e-9a2d-4a0a-8f5d-0e0b8c1f2a3b
    Bridge br-int
        datapath_type: netdev
        Port "vhu1234-5"
            tag: 3
            Interface "vhu1234-5"
                type: dpdkvhostuserclient
                options: {vhost-server-path="/var/lib/vhost_sockets/vhu1234-5"}
        Port br-int
            Interface br-int
                type: internal
    Bridge br-ex
        datapath_type: netdev
        Port vhuold
            Interface vhuold
                type: dpdkvhostuser
                error: "could not add network device vhuold to ofproto"
    ovs_version: "3.1.0"
`

test('ovs-vsctl show: both types, their bridges, and what is wrong with them', () => {
  const { vifs, warnings } = parseVifs(SHOW, { socketFolder: '/run/ovs' })
  assert.deepEqual(
    vifs.map(({ name, socket, qemuMode, bridge, plug }) => [name, socket, qemuMode, bridge, plug]),
    [
      ['vhu1234-5', '/var/lib/vhost_sockets/vhu1234-5', 'server', 'br-int', 'ovs'],
      ['vhuold', '/run/ovs/vhuold', 'client', 'br-ex', 'ovs'],
    ],
  )
  assert.deepEqual(
    warnings.map(({ path }) => path),
    ['Interface vhuold error', 'Interface vhuold type'],
  )
})
