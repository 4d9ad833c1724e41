"""``make demo``: the main job end to end on one machine, as people see it.

The Function App runs on the local host, an emulated Azure and an emulated GitHub beside it. Every
request that is shown is really made, every comment is the one that stands on the pull request; the
demo fails when anything is otherwise than the story says.

terminal   a comment as it reads in a terminal
story      says, waits, expects
pulls      what people do with pull requests
scenes     the story
"""
