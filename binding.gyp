{
  "targets": [
    {
      "target_name": "dpdk_vhost_cmake",
      "type": "none",
      "actions": [
        {
          "action_name": "build_with_cmake",
          "inputs": ["CMakeLists.txt"],
          "outputs": ["<(INTERMEDIATE_DIR)/never-written-so-that-cmake-decides"],
          "action": ["node", "scripts/gyp-to-cmake.mjs", "<(CONFIGURATION_NAME)"]
        }
      ]
    }
  ]
}
