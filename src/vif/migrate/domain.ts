import { XMLSerializer } from '@xmldom/xmldom'
import { attribute, child, childrenOf, parseXml } from '../xml.js'

/** Where a port's socket is to be, by where it is. */
export type NewSockets = ReadonlyMap<string, string>

/** The XML of a domain whose QEMU listens on the new sockets, instead of connecting to the old ones. */
export function withQemuListening(xml: string, sockets: NewSockets): string {
  const root = parseXml(xml, 'libvirt XML')
  for (const one of childrenOf(child(root, 'devices'), 'interface')) {
    const source = child(one, 'source')
    const path = sockets.get(attribute(source, 'path') ?? '')
    if (source === undefined || path === undefined || attribute(one, 'type') !== 'vhostuser')
      continue
    source.setAttribute('mode', 'server')
    source.setAttribute('path', path)
    // Only a client connects again.
    for (const reconnect of childrenOf(source, 'reconnect')) source.removeChild(reconnect)
  }
  return new XMLSerializer().serializeToString(root)
}

/** Nova marks its domains so. */
export const isNovas = (xml: string) => xml.includes('http://openstack.org/xmlns/libvirt/nova/')
