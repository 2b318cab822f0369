{
  "targets": [
    {
      "target_name": "dpdk_vhost_cmake",
      "type": "none",
      "actions": [
        {
          "action_name": "build_with_cmake",
          "inputs": ["CMakeLists.txt"],
          "outputs": ["<(PRODUCT_DIR)/dpdk_vhost.node"],
          "action": ["node", "scripts/gyp-to-cmake.mjs", "<(CONFIGURATION_NAME)"]
        }
      ]
    }
  ]
}
