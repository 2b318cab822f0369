"""Nova's and os-vif's own code, for what they make of a binding. Reads JSON from standard input, prints JSON.

openstack.py xml FOLDER            [{port, network, vcpus, multiqueue, rx, tx}] -> [{xml, plugin}]
openstack.py plug FOLDER DATABASE  {port, network, vmId} -> plugs the port into an OVSDB
"""
import json
import sys

command, folder = sys.argv[1:3]
sys.path.insert(0, folder + '/usr/lib/python3/dist-packages')

import nova.conf
import os_vif
from nova import objects
from nova.network import neutron
from nova.network import os_vif_util
from nova.virt.libvirt import vif as libvirt_vif

objects.register_all()
CONF = nova.conf.CONF
CONF([], default_config_files=[], default_config_dirs=[])

ABSENT = {'fixed_ips': [], 'admin_state_up': True, 'status': 'ACTIVE', 'tenant_id': 'tenant',
          'network_id': '11111111-1111-4111-8111-111111111111'}


def nova_vif(port, network):
    """As Nova's compute service makes it of Neutron's answer; nobody is asked for subnets or physical networks."""
    api = neutron.API()
    neutron.get_client = lambda *_, **__: None
    api._get_physnet_tunneled_info = lambda *_: (None, False)
    port = {**ABSENT, **port}
    networks = [{'id': port['network_id'], 'name': 'net', 'tenant_id': 'tenant', **network}]
    return api._build_vif_model(None, None, port, networks, [])


def xml(case):
    CONF.set_override('rx_queue_size', case.get('rx'), 'libvirt')
    CONF.set_override('tx_queue_size', case.get('tx'), 'libvirt')
    flavor = objects.Flavor(vcpus=case['vcpus'], extra_specs={})
    image = {'properties': {'hw_vif_multiqueue_enabled': str(case['multiqueue'])}}
    vif = nova_vif(case['port'], case.get('network', {}))
    driver = libvirt_vif.LibvirtGenericVIFDriver()
    config = driver.get_config(
        objects.Instance(), vif, objects.ImageMeta.from_dict(image), flavor, 'kvm')
    return {'xml': config.to_xml(), 'plugin': os_vif_util.nova_to_osvif_vif(vif).plugin}


def plug(database, case):
    from os_vif.objects.instance_info import InstanceInfo
    from vif_plug_ovs.ovs import OvsPlugin

    # The plugin takes them over when it is loaded.
    CONF.register_opts(OvsPlugin.CONFIG_OPTS, 'os_vif_ovs')
    CONF.set_override('ovsdb_connection', database, 'os_vif_ovs')
    CONF.set_override('ovsdb_interface', 'native', 'os_vif_ovs')
    os_vif.initialize()
    vif = os_vif_util.nova_to_osvif_vif(nova_vif(case['port'], case['network']))
    os_vif.plug(vif, InstanceInfo(uuid=case['vmId'], name='vm'))


given = json.load(sys.stdin)
if command == 'xml':
    os_vif.initialize()
    json.dump([xml(case) for case in given], sys.stdout)
else:
    plug(sys.argv[3], given)
