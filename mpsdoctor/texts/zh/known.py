"""What people read of an entry of the known issues, and of their list."""

PHRASES = {
    "title": "{id}：{kind}，{op}",
    "what": "{what:recorded}",
    "trigger": "触发条件：{trigger:recorded}。",
    "where": "记录中有问题的版本：{range}。",
    "basis": "版本的依据（最早）：{first:recorded}；（修复）：{last:recorded}。",
    "basis_none": "没有说明",
    "status_open": "上游的报告还没有关闭。",
    "status_closed": "上游的报告已经关闭。",
    "around": "绕开的办法：{workaround:recorded}。",
    "no_way": "没有记录绕开的办法。",
    "certainty": "可靠程度：{certainty:recorded}。",
    "doubt": "存疑之处：{doubt:recorded}",
    "core": "任何训练都要用到它：在哪个设备上有问题，就排除哪个设备。",
    "chance": "时有时无：{chance:recorded}。",
    "dangerous": "有危险：{dangerous:recorded}只有加上 --include-dangerous 才会试。",
    "memory": "它的探针需要 {memory} MiB 内存。",
    "canary": "探针：canaries/{module}.py 的 {function}。",
    # the list
    "list_head": "{total} 条记录中，有 {count} 条记录在 torch {torch}、macOS {macos}、{chip} 上有问题：",
    "list_none": "没有记录表明 torch {torch}、macOS {macos}、{chip} 上有问题。",
    "list_line": "{id}：{what:recorded}",
    "list_more": "`mpsdoctor explain ID` 显示某一条的全部内容；`mpsdoctor known-issues` 逐条实测。",
    "unknown": "?",
    "nothing_to_export": "没有可导出的内容：没有在这些记录所针对的设备上运行过探针",
}
