"""A real Neutron server of Debian's packages with one mechanism driver, which binds ports as vhost-user as that of a generic
switch does. python3 -I -B neutron_server.py ROOT FOLDER: serves on a port of its own, and prints it."""
import os
import sys

root, folder = sys.argv[1:3]
PACKAGES = os.path.join(root, 'usr/lib/python3/dist-packages')
sys.path.insert(0, PACKAGES)
sys.path.insert(0, folder)

import eventlet

eventlet.monkey_patch()

CONFIG = f"""
[DEFAULT]
core_plugin = ml2
service_plugins = qos
auth_strategy = noauth
api_paste_config = {root}/usr/share/neutron-common/api-paste.ini
api_extensions_path =
state_path = {folder}
transport_url = fake://
notify_nova_on_port_status_changes = false
notify_nova_on_port_data_changes = false
rpc_workers = 0
policy_file = {folder}/policy.yaml
dhcp_agent_notification = false
pagination_max_limit = 2
[oslo_policy]
policy_file = {folder}/policy.yaml
[oslo_concurrency]
lock_path = {folder}
[database]
connection = sqlite:///{folder}/neutron.sqlite
[ml2]
type_drivers = flat,vlan
tenant_network_types = vlan
mechanism_drivers = vhostuser
extension_drivers = port_security,qos
[ml2_type_vlan]
network_vlan_ranges = physnet1:100:200
[ml2_type_flat]
flat_networks = *
"""

ENTRY_POINTS = """[neutron.ml2.mechanism_drivers]
vhostuser = vhostuser_driver:Driver
"""

DRIVER = """
from neutron_lib.api.definitions import portbindings
from neutron_lib.plugins.ml2 import api
from neutron_lib import constants
from neutron_lib.services.qos import constants as qos
from neutron_lib.db import constants as db
from neutron_lib.services.qos import base


class Qos(base.DriverBase):
    @staticmethod
    def create():
        any_value = {'type:values': None}
        return Qos(
            name='vhostuser', vif_types=['vhostuser'], vnic_types=['normal'],
            supported_rules={
                qos.RULE_TYPE_BANDWIDTH_LIMIT: {
                    qos.MAX_KBPS: {'type:range': [0, db.DB_INTEGER_MAX_VALUE]},
                    qos.MAX_BURST: {'type:range': [0, db.DB_INTEGER_MAX_VALUE]},
                    qos.DIRECTION: {'type:values': constants.VALID_DIRECTIONS}},
                qos.RULE_TYPE_PACKET_RATE_LIMIT: {
                    qos.MAX_KPPS: {'type:range': [0, db.DB_INTEGER_MAX_VALUE]},
                    qos.MAX_BURST_KPPS: {'type:range': [0, db.DB_INTEGER_MAX_VALUE]},
                    qos.DIRECTION: {'type:values': constants.VALID_DIRECTIONS}},
            })


class Driver(api.MechanismDriver):
    def initialize(self):
        self.qos = Qos.create()

    @property
    def connectivity(self):
        return portbindings.CONNECTIVITY_L2

    def bind_port(self, context):
        segment = context.segments_to_bind[0]
        details = {
            'vhostuser_socket': '/run/vm/' + context.current['id'],
            'vhostuser_mode': 'server',
            'port_filter': True,
        }
        context.set_binding(segment[api.ID], 'vhostuser', details, constants.PORT_STATUS_ACTIVE)
"""


def write(name, text):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w') as file:
        file.write(text)
    return path


write('vhostuser_driver.py', DRIVER)
write('vhostuser_driver-1.dist-info/METADATA', 'Metadata-Version: 2.1\nName: vhostuser-driver\nVersion: 1\n')
write('vhostuser_driver-1.dist-info/entry_points.txt', ENTRY_POINTS)
write('policy.yaml', '{}\n')
path = write('neutron.conf', CONFIG)

from neutron.common import config
from neutron import server  # noqa: F401: registers what the configuration has
from neutron_lib.db import api as db_api
from neutron_lib.db import model_base
from oslo_config import cfg

config.register_common_config_options()
config.init(['--config-file', path])

from neutron.db.migration.models import head  # noqa: F401

with db_api.CONTEXT_WRITER.get_sessionmaker()() as session:
    model_base.BASEV2.metadata.create_all(session.get_bind())

from eventlet import wsgi
from neutron.common import config as common

app = common.load_paste_app('neutron')
listener = eventlet.listen(('127.0.0.1', 0))
print(listener.getsockname()[1], flush=True)
wsgi.server(listener, app, log=open(os.path.join(folder, 'access.log'), 'w'))
