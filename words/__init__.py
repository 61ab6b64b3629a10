"""The words of pages and mails in French and English: sentences, dates, numbers, lists and the order of names.

Sentences stand in English where they are used; ``fr.po`` has the French. Services and the gateway
may import this room.
"""
