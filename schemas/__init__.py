"""The contract: what services say to each other and to partners.

One module per topic's models; `envelope` is CloudEvents; `topics/*.yaml` say who writes and reads what.
"""
