"""The past of sensors: single readings, or buckets of any size that the rollups allow.

answer      question → series, for many sensors; the only module that knows all others
kinds       which aggregates make sense for which sensor
buckets     where buckets begin and end in a time zone; pure
levels      which level answers what part of a range; pure
rollups     the joined rollups of each bucket, and the changes of states; SQL
raw         single readings; SQL
qualities   how many readings are bad, out of those; SQL
limited     a time limit for both
aggregates  joined rollups → columns; pure
states      changes → durations; pure
fill        columns without gaps; pure
"""
